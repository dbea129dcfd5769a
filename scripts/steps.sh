# shellcheck shell=bash
# Shared by setup, demo and test: steps that print one line each, and finding a recent enough Node. To be
# sourced, with `set -euo pipefail` in effect.

if [[ -t 1 ]]; then
  step_terminal=yes step_live=yes step_green=$'\e[32m' step_red=$'\e[31m' step_dim=$'\e[2m' step_plain=$'\e[0m'
else
  step_terminal='' step_live='' step_green='' step_red='' step_dim='' step_plain=''
fi
# Determined once, here, before any trap is set: bash 5.2 fails if a trap runs while it reads a command
# substitution ("unexpected EOF while looking for matching `)'"). For the same reason the steps, which
# can be interrupted, do not use command substitutions.
step_columns=$(tput cols 2>/dev/null || echo 80)
if [[ $(locale charmap 2>/dev/null) == UTF-8 ]]; then
  step_tick='✓' step_cross='✗'
else
  step_tick='ok' step_cross='FAILED'
fi

# The process `attend` is waiting for, which leads a process group, so that a trap can end it.
step_child=''

# start COMMAND...: runs the command in the background, in its own process group.
start() {
  set -m
  "$@" &
  step_child=$!
  set +m
}

# attend COMMAND...: runs the command and waits for it. Bash runs traps only between commands and during
# `wait`; this way Ctrl-C and SIGTERM take effect at once, and end_child can end the whole group.
attend() {
  local status=0
  start "$@"
  wait "$step_child" 2>/dev/null || status=$?
  step_child=''
  return "$status"
}

# end_child: ends the process `attend` is waiting for, if any, and everything it started, and waits until
# they are gone. Kills whatever still runs after 30 seconds.
end_child() {
  local group=$step_child deadline=$((SECONDS + 30))
  step_child=''
  [[ -n $group ]] || return 0
  kill -TERM -- "-$group" 2>/dev/null || return 0
  wait "$group" 2>/dev/null || true
  while kill -0 -- "-$group" 2>/dev/null; do
    ((SECONDS < deadline)) || kill -KILL -- "-$group" 2>/dev/null || true
    sleep 0.05
  done
}

# The steps that `alongside` runs, if any.
step_alongside=''

# alongside COMMAND...: runs the command in the background while other steps run. Its own steps print
# their lines as they end. `join` waits for it, `end_alongside` ends it.
alongside() {
  set -m
  run_alongside "$@" &
  step_alongside=$!
  set +m
}

run_alongside() {
  trap 'end_child; exit 143' INT TERM HUP
  step_live=''
  "$@"
}

# join TEXT: waits for what `alongside` started, and returns its status. On a terminal it shows TEXT.
join() {
  local status=0
  [[ -n $step_alongside ]] || return 0
  [[ -z $step_live ]] || printf '\r\e[K  … %s' "$1"
  wait "$step_alongside" 2>/dev/null || status=$?
  step_alongside=''
  [[ -z $step_live ]] || printf '\r\e[K'
  return "$status"
}

# end_alongside: ends what `alongside` started, which ends its own children first.
end_alongside() {
  local leader=$step_alongside
  step_alongside=''
  [[ -n $leader ]] || return 0
  kill -TERM "$leader" 2>/dev/null || return 0
  wait "$leader" 2>/dev/null || true
}

# passed TEXT [DETAIL], failed TEXT [DETAIL]: prints the line of a finished step.
passed() {
  [[ -z $step_terminal ]] || printf '\r\e[K'
  printf '  %s%s%s %s%s\n' "$step_green" "$step_tick" "$step_plain" "$1" "${2:+$step_dim: $2$step_plain}"
}
failed() {
  [[ -z $step_terminal ]] || printf '\r\e[K'
  printf '  %s%s %s%s%s\n' "$step_red" "$step_cross" "$1" "$step_plain" "${2:+: $2}"
}

# show_tail LOG: the end of a log, indented, on standard error.
show_tail() {
  tail -n 25 "$1" | sed 's/^/      /' >&2
}

# quiet_step TEXT LOG COMMAND...: runs the command with its output in LOG. On a terminal, shows the last
# line of the log while it runs. Prints one line at the end, including the last line of the log if TEXT ends
# in a colon. Shows the log if the command fails. Returns the command's status.
quiet_step() {
  local text=$1 log=$2 status=0 last line
  shift 2
  : >"$log"
  if [[ -n $step_live ]]; then
    watch_log "${text%:}" "$log" "$@" || status=$?
  else
    attend "$@" >"$log" 2>&1 || status=$?
  fi
  if ((status != 0)); then
    failed "${text%:}"
    show_tail "$log"
    return "$status"
  fi
  last='' line=''
  if [[ $text == *: ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      last=$line
    done <"$log"
  fi
  passed "${text%:}" "$last"
}

# watch_log TEXT LOG COMMAND...: runs the command and shows the last line of the log meanwhile.
watch_log() {
  local text=$1 log=$2 status=0 width lines line last=''
  shift 2
  width=$((step_columns - ${#text} - 8))
  start "$@" >"$log" 2>&1
  exec {lines}<"$log"
  while kill -0 "$step_child" 2>/dev/null; do
    while IFS= read -r line <&"$lines"; do
      last=${line//[[:cntrl:]]/}
    done
    printf '\r\e[K  … %s %s%s%s' "$text" "$step_dim" "${last:0:width > 10 ? width : 10}" "$step_plain"
    sleep 0.2
  done
  exec {lines}<&-
  wait "$step_child" 2>/dev/null || status=$?
  step_child=''
  return "$status"
}

# find_node: puts a Node of at least version 18 first on PATH; fails if there is none.
find_node() {
  local node
  for node in "$(command -v node || true)" /usr/bin/node; do
    if [[ -x $node ]] && (($("$node" --print 'parseInt(process.versions.node)') >= 18)); then
      PATH=$(dirname "$node"):$PATH
      return 0
    fi
  done
  return 1
}
