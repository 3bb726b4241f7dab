# Completion of tauro for fish, from 3.0 on. Made by: tauro completion show fish

function __tauro_completion
    set -l words (commandline -opc)
    while string match -qr -- '^\w+=' $words[1]
        set -e words[1]
    end
    set -l program (string replace -r -- '^~/' "$HOME/" $words[1])
    set -l token (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' $token)
    for line in (env _TAURO_COMPLETE=line $program (commandline -cp | string collect) 2>/dev/null)
        set -l parts (string split -m 2 -- \t $line)
        switch $parts[1]
            case dir
                set -l path (string replace -r -- '^--[^=]*=' '' $token)
                string replace -r -- '^' "$option" (__fish_complete_directories "$path" '')
            case file
                set -l path (string replace -r -- '^--[^=]*=' '' $token)
                string replace -r -- '^' "$option" (__fish_complete_path "$path")
            case '*'
                printf '%s\t%s\n' $parts[2] $parts[3]
        end
    end
end

complete --command tauro --no-files --keep-order --arguments '(__tauro_completion)'
