# Completion of tauro for bash, from 3.2 on. Made by: tauro completion show bash

_tauro_completion() {
    local IFS=$'\n' kind value about program=${1/#\~\//$HOME/}
    COMPREPLY=()
    # The whole line, because bash takes --env=dev for three words; and $2, the part that it replaces.
    while IFS=$'\t' read -r kind value about; do
        case $kind in
            dir) compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "$2")) ;;
            file) compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$2")) ;;
            *) printf -v value %q "$value"; COMPREPLY[${#COMPREPLY[@]}]=$value ;;
        esac
    done < <(_TAURO_COMPLETE=line "$program" "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
}

# bash 4.4 and newer keep the order: the newest run first.
complete -o nosort -F _tauro_completion tauro 2>/dev/null || complete -F _tauro_completion tauro
