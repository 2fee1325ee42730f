#!/bin/sh
# portcheck-host with boards that are made up: right ones, and one for each thing that can
# go wrong between a board and its host. A cut is a SIGKILL.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

host=$(dirname "$crashmatrix")/portcheck-host
schema=$here/../portcheck/report.schema.json
cd "$work"

# on OPTIONS...: a script that starts the board with these options.
on() {
    {
        echo '#!/bin/sh'
        echo "PYTHONDONTWRITEBYTECODE=1 python3 '$here/portcheck/board.py' '$work/disk' $* &"
        # shellcheck disable=SC2016 # for that script
        echo 'echo $! >pid'
    } >on
    chmod +x on
}

cat >off <<'END'
#!/bin/sh
[ ! -e pid ] || kill -9 "$(cat pid)" 2>errors || grep -qi 'no such process' errors
rm -f pid
END
chmod +x off

# anew OPTIONS...: another board, with an empty disk, and no record.
anew() {
    ./off
    rm -rf record report disk disk.tmp
    on "$@"
}

# validate STATUS PATTERN VERDICT OPTIONS...: runs the host, and checks its reports.
validate() {
    validate_status=$1
    validate_pattern=$2
    validate_verdict=$3
    shift 3
    expect "$validate_status" "$validate_pattern" "$host" --kind kill --record record \
        --report report --power-off ./off --power-on ./on --off-time 0s --delay 0ms..60ms \
        --return-time 20s "$@"
    python3 "$here/portcheck/report.py" "$schema" report "$validate_verdict" || fail "report"
    ./off
}

tcp=--listen=tcp:127.0.0.1:0

# ---- Usage ----
expect 0 '^Usage' "$host" --help
expect 0 '^portcheck-host [0-9]' "$host" --version
expect 2 'record is missing' "$host"
expect 2 'listen is missing' "$host" --record record
expect 2 'none of kill, reset, power' "$host" --record r $tcp --kind cut --ask
expect 2 'who cuts' "$host" --record r $tcp --kind kill
expect 2 'who cuts' "$host" --record r $tcp --kind kill --ask --power-on a --power-off b
expect 2 'belong together' "$host" --record r $tcp --kind kill --power-on a
expect 2 'none of serial' "$host" --record r --listen udp:1 --kind kill --ask
expect 2 'no rate' "$host" --record r --listen serial:/dev/null@7 --kind kill --ask
expect 2 'not HOST:PORT' "$host" --record r --listen tcp:1 --kind kill --ask
expect 2 'or \[IPV6\]:PORT' "$host" --record r --listen tcp:::1:5555 --kind kill --ask
expect 2 'printable' "$host" --record r $tcp --kind kill --ask --board "$(printf 'a\001')"
expect 2 'range' "$host" --record r $tcp --kind kill --ask --delay 2s..1s
expect 2 'at least 1' "$host" --record r $tcp --kind kill --ask --cycles 0
expect 2 'not a time' "$host" --record r $tcp --kind kill --ask --off-time 5
expect 2 'hexadecimal' "$host" --record r $tcp --kind kill --ask --run 12
expect 2 'no option' "$host" --record r something
expect 2 'cannot be opened' "$host" --record r --resume
expect 2 '' "$host" --record r --quickly
[ ! -e r ] || fail "a record was made although the options were wrong"

# ---- Boards that are right ----

# portcheck_at ADDRESS: a script that starts portcheck itself, which is fast, and connects to there.
portcheck_at() {
    anew
    rm -rf data
    mkdir data
    cat >on <<END
#!/bin/sh
'$(dirname "$crashmatrix")/portcheck' run data --ack tcp:$1:\$PORTCHECK_PORT --expect-fs '$(
        stat -f -c %T . | sed 's,^ext2/ext3$,ext4,')' &
echo \$! >pid
END
    chmod +x on
}

portcheck_at 127.0.0.1
validate 0 '^Verdict: PASS: keeps what it acknowledged when the process is killed' PASS $tcp \
    --cycles 20 --board right
grep -q '20 counted of 20' output || fail "20 cuts"
grep -q '^Not shown: .*page cache' output || fail "what a kill does not show"
expect 2 'there is a record already' "$host" --record record $tcp --kind kill --ask

# A record that is complete is only read again.
expect 0 '20 counted of 20' "$host" --resume --record record

# Somebody writes the disk anew in the third cycle: nobody lost anything.
portcheck_at 127.0.0.1
# shellcheck disable=SC2016 # for the command
validate 4 'INCONCLUSIVE: .* made anew, or has lost everything$' INCONCLUSIVE $tcp --cycles 5 \
    --power-off './off && { [ "${PORTCHECK_CYCLE:-0}" -ne 3 ] || rm -rf data/*; }'
grep -q 'cycle 3: did not count: .* mark [0-9a-f]*\.4, before [0-9a-f]*\.1 ' output || fail "marks"

if grep -q '^0*1 .* lo$' /proc/net/if_inet6 2>errors; then
    portcheck_at '[::1]'
    validate 0 'Verdict: PASS' PASS --listen 'tcp:[::1]:0' --cycles 2
else
    echo "skipped: no IPv6 here"
fi

# By a command, a file, and a line that garbles.
anew --stdout
# shellcheck disable=SC2016 # for the command
validate 0 'Verdict: PASS' PASS --listen 'command:tail -n +1 -F lines 2>errors.tail' --cycles 3 \
    --power-on './on >>lines'
rm -f lines
anew --stdout
validate 0 'Verdict: PASS' PASS --listen file:lines --cycles 3 --power-on './on >>lines'
anew "--serial '$work/board-side'"
python3 "$here/portcheck/null_modem.py" board-side host-side &
modem=$!
until [ -e host-side ]; do
    sleep 0.05
done
validate 0 'Verdict: PASS' PASS --listen serial:host-side@2000000 --cycles 3
kill $modem
anew --noise 0.03
validate 0 'Verdict: PASS' PASS $tcp --cycles 8 --give-up 12
grep -Eq '[1-9][0-9]* missing, [1-9][0-9]* garbled' output || fail "nothing was garbled"

# ---- Boards that are wrong ----
anew --lose 3
validate 1 'Verdict: FAIL: loses data when the process is killed' FAIL $tcp
grep -q 'LOST: version [0-9]* was acknowledged: the board found an older one' output ||
    fail "what was lost"
anew --torn
validate 1 'LOST: what is there is not whole: empty' FAIL $tcp

# The same file system without what was on it; and another one.
anew
validate 1 'LOST: .*there was no database' FAIL $tcp --power-off './off && rm -f disk'
anew "--uuid ''"
validate 4 'INCONCLUSIVE: .* made anew' INCONCLUSIVE $tcp --power-off './off && rm -f disk'
anew "--uuid \$PORTCHECK_CYCLE"
validate 4 'Verdict: INCONCLUSIVE: what was acknowledged cannot be looked for' INCONCLUSIVE $tcp

# ---- Boards that nobody can tell anything of ----
anew
# shellcheck disable=SC2016 # for the command
validate 4 'Verdict: INCONCLUSIVE: 0 cuts counted' INCONCLUSIVE $tcp --return-time 1s --give-up 2 \
    --power-on '[ "$PORTCHECK_CYCLE" -gt 1 ] || ./on'
grep -q 'cycle 1: did not count: the board did not come back in time' output || fail "no return"
anew
validate 4 'hint .*no start of portcheck was heard' INCONCLUSIVE --listen serial:data \
    --return-time 100ms --give-up 1
grep -q 'data: Is a directory; it is tried until' output || fail "what is wrong with the device"
anew
validate 4 'the board went on committing' INCONCLUSIVE $tcp --return-time 1s --give-up 4 \
    --power-off true --power-on '[ -e pid ] || ./on'
anew --other-run
validate 4 'of other runs' INCONCLUSIVE $tcp --return-time 1s --give-up 1
anew --refuse
validate 4 'the board refused its target: another device' INCONCLUSIVE $tcp --give-up 2
anew --unsupported
validate 4 'Verdict: UNSUPPORTED: .*vfat' UNSUPPORTED $tcp

# ---- A person who cuts the power ----
anew
expect 0 'Verdict: PASS' python3 "$here/portcheck/person.py" "$host" $tcp --kind power --ask \
    --record record --report report --cycles 2 --delay 0ms..60ms
grep -q 'survives power loss: none of 2 cuts' output || fail "words for power"
python3 "$here/portcheck/report.py" "$schema" report PASS || fail "report"
anew
expect 3 'no terminal to ask at' setsid "$host" $tcp --kind power --ask --record record

# ---- The host's own trouble ----
anew
expect 3 "power-on: 'exit 5': exit status 5" "$host" --record record $tcp --kind kill \
    --power-off ./off --power-on 'exit 5' --off-time 0s
expect 2 "the record was made with --seed '1', not '2'" "$host" --resume --record record --seed 2
anew
expect 3 'did not end within 100 ms' "$host" --record record $tcp --kind kill \
    --power-off 'sleep 60' --power-on ./on --command-time 100ms

# ---- Stopped and continued ----
anew
"$host" $tcp --kind kill --record record --power-off ./off --power-on ./on --off-time 0s \
    --delay 0ms..60ms --cycles 12 >stopped 2>&1 &
running=$!
until [ -e record/record.log ] && [ "$(grep -c ' cut ' record/record.log)" -ge 4 ]; do
    sleep 0.05
done
expect 2 'another portcheck-host is writing it' "$host" --resume --record record
kill -INT $running
status=0
wait $running || status=$?
[ $status -eq 4 ] || fail "stopped with status $status"
grep -q 'INCONCLUSIVE: stopped, --resume continues it' stopped || fail "a word on --resume"
expect 0 'Verdict: PASS' "$host" --resume --record record
./off
[ "$(grep -c ' session ' record/record.log)" -eq 2 ] || fail "two sessions"

# Killed in the midst of a line: it was never counted. Changed anywhere else: refused.
cp record/record.log whole
sed '$!d' whole | cut -c1-15 | tr -d '\n' >>record/record.log
expect 0 'Verdict: PASS' "$host" --resume --record record
cmp whole record/record.log || fail "the last line was not dropped"
sed '30s/committed/Committed/; 31s/committed/Committed/' whole >record/record.log
expect 2 'record.log:3[01]: the line is damaged' "$host" --resume --record record
