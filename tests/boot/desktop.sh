#!/bin/bash
# desktop.sh: the X session of debian-x.raw: icewm, a terminal, a clock, eyes that follow the mouse, and
# a dialog.  Says on ttyS0
#   GUEST-X SIZE DEPTH DRIVER   the desktop is there: all windows are mapped
#   GUEST-WINDOW terminal X,Y   where the terminal is, then and whenever it has been moved
#   GUEST-POINTER X,Y           where the pointer is, whenever it has moved and rests
#   GUEST-CLICK                 the dialog's button was clicked
# What is typed in the terminal acts there, "tty > /dev/ttyS0" for instance.
# tell WORDS: a line on ttyS0, opened anew each time, since the getty hangs the line up.
tell() { echo "$*" > /dev/ttyS0; }

xsetroot -solid '#205080'
xset s off -dpms
xclock -geometry 160x160+20+20 -update 1 &
xeyes -geometry 160x100+200+20 &
xterm -geometry 80x20+20+240 -title terminal &
(
    xmessage -name dialog -title dialog -geometry 300x100+420+20 -buttons 'Click here' 'A question?'
    tell GUEST-CLICK
) &

# place NAME: "NAME X,Y" of the window's inside.
place()
{
    xwininfo -name "$1" | awk -v name="$1" '/Absolute upper-left X/ { x = $4 }
        /Absolute upper-left Y/ { print name, x "," $4 }'
}

# said KEY TEXT: say it if it is new and the same as a second ago.
declare -A seen last
said()
{
    if [ -n "$2" ] && [ "${seen[$1]:-}" = "$2" ] && [ "${last[$1]:-}" != "$2" ]; then
        tell "$1 $2"
        last[$1]=$2
    fi
    seen[$1]=$2
}

report()
{
    local n log=/var/log/Xorg.0.log
    for ((n = 0; n < 120; n++)); do
        [ "$(xwininfo -root -tree | grep -cE '"(xclock|xeyes|terminal|dialog)"')" -ge 4 ] && break
        sleep 1
    done
    sleep 3
    tell GUEST-X "$(xdpyinfo | awk '/dimensions/ { print $2 }')" \
        "$(xdpyinfo | awk '/depth of root/ { print $5 }')" \
        "$(grep -oE '(VESA|FBDEV|modeset)\(0\): Depth' $log | head -n 1 | sed 's/(.*//')"
    while sleep 1; do
        said GUEST-POINTER "$(xdotool getmouselocation | sed 's/x:\([0-9]*\) y:\([0-9]*\) .*/\1,\2/')"
        said GUEST-WINDOW "$(place terminal)"
    done
}
report &
exec icewm
