# shellcheck shell=bash
# What libFuzzer is told of a target, wherever it runs. Sourced in the top folder.

# libfuzzer_options TARGET: its options and its dictionary, one a line. The options are those
# that a fuzzing service reads, NAME = VALUE in the section [libfuzzer].
libfuzzer_options() {
    local options=fuzz/options/$1.options dictionary=fuzz/dictionaries/$1.dict
    [ ! -e "$dictionary" ] || printf '%s\n' "-dict=$dictionary"
    [ ! -e "$options" ] || awk -F ' *= *' '
        /^\[/ { ours = /^\[libfuzzer\]/; next }
        ours && NF == 2 { print "-" $1 "=" $2 }' "$options"
}

# libfuzzer_inputs TARGET: the folders of inputs that the repository has for it.
libfuzzer_inputs() {
    local folder
    for folder in "fuzz/seeds/$1" "fuzz/regressions/$1"; do
        [ ! -d "$folder" ] || printf '%s\n' "$folder"
    done
}
