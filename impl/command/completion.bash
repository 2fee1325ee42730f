# shellcheck shell=bash
# Completion of the manifest command for bash: subcommands, their options, their
# files and directories. Installed where bash-completion finds it by its name.

_manifest() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    local indexes='--vector --spatial --text --timestamp --column'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='init commit show verify versions diff orphans gc backup restore recover
            --help --version'
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    case $before in
    --commit-point)
        mapfile -t COMPREPLY < <(compgen -W 'automatic rename slots' -- "$current")
        return
        ;;
    --lsm)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --keep | --to | --from | --wait | --remove | --vector | --spatial | --text | --timestamp | \
        --column)
        # --remove of orphans takes no value
        [ "$before ${COMP_WORDS[1]}" = '--remove orphans' ] || return
        ;;
    esac
    case $current in
    -*)
        words='--help --json'
        case ${COMP_WORDS[1]} in
        init) words+=' --wait --commit-point' ;;
        commit) words+=" --wait --unsealed --from --remove --lsm $indexes" ;;
        show | versions | diff) words+=' --unsealed' ;;
        verify) words+=' --unsealed --backup' ;;
        orphans) words+=' --unsealed --wait --remove' ;;
        gc) words+=' --unsealed --wait --keep' ;;
        backup) words+=' --wait' ;;
        restore) words+=' --wait --commit-point' ;;
        recover) words+=' --unsealed --wait --to' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        ;;
    *) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    esac
}

complete -o filenames -F _manifest manifest
