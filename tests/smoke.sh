#!/usr/bin/env bash
# Opens the real window on a virtual screen, waits until it is seen and has trained, interrupts it as Ctrl-C does, and
# expects exit code 0, nothing on stderr, and no process left behind.
#
#   tests/smoke.sh COMMAND        (needs Xvfb and xwininfo)
set -euo pipefail
program=${1:?usage: tests/smoke.sh COMMAND}
work=$(mktemp -d)
export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state QT_QPA_PLATFORM=xcb
unset WAYLAND_DISPLAY
mkfifo "$work/number"
exec 3<>"$work/number"
Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp >/dev/null 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
read -r -t 20 display <&3
export DISPLAY=:$display

# bash starts background jobs with SIGINT ignored; this gives the program the usual one.
python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' "$program" 2>"$work/stderr" &
window=$!
seen() { xwininfo -root -tree 2>/dev/null | grep -q '"aeviz"'; }
trained() { find "$work/state" -name journal -size +500k 2>/dev/null | grep -q .; }  # keyframes of some epochs
for what in seen trained; do
  for _ in $(seq 150); do
    if $what; then break; fi
    kill -0 $window 2>/dev/null || break
    sleep 0.2
  done
  $what || { echo "smoke: no window was $what"; cat "$work/stderr"; exit 1; }
done
workers=$(pgrep -P $window || true)
kill -INT $window
code=0; wait $window || code=$?
for worker in $workers; do
  ! kill -0 "$worker" 2>/dev/null || { sleep 2; ! kill -0 "$worker" 2>/dev/null || { echo "smoke: a process is left"; exit 1; }; }
done
[ $code = 0 ] || { echo "smoke: exit code $code"; cat "$work/stderr"; exit 1; }
[ ! -s "$work/stderr" ] || { echo "smoke: something on stderr:"; cat "$work/stderr"; exit 1; }
echo "smoke: the window opened, trained, and ended in order"
