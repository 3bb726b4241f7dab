#compdef tauro
# Completion of tauro for zsh. Made by: tauro completion show zsh

_tauro() {
    local line typed="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX"
    local -a parts found
    for line in "${(@f)$(_TAURO_COMPLETE=line ${~words[1]} "$typed" 2>/dev/null)}"; do
        parts=("${(@ps:\t:)line}")
        case $parts[1] in
            dir) compset -P '*='; _files -/ ;;
            file) compset -P '*='; _files ;;
            # _describe parts a value from its description by a colon.
            plain) found+=("${${parts[2]//\\/\\\\}//:/\\:}${parts[3]:+:$parts[3]}") ;;
        esac
    done
    (( $#found )) && _describe -V -t values value found -U
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _tauro "$@"
else
    compdef _tauro tauro
fi
