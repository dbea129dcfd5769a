# shellcheck shell=bash
# What setup, demo and test have in common: steps that say one line each, and a Node that is new
# enough. To be sourced, with `set -euo pipefail` on.

if [[ -t 1 ]]; then
  step_terminal=yes step_green=$'\e[32m' step_red=$'\e[31m' step_dim=$'\e[2m' step_plain=$'\e[0m'
else
  step_terminal='' step_green='' step_red='' step_dim='' step_plain=''
fi
# Asked for once, here, where no trap is set yet: bash 5.2 stumbles over a trap that runs while it
# reads a command substitution ("unexpected EOF while looking for matching `)'"). So the steps, which
# are what is interrupted, use none.
step_columns=$(tput cols 2>/dev/null || echo 80)
if [[ $(locale charmap 2>/dev/null) == UTF-8 ]]; then
  step_tick='✓' step_cross='✗'
else
  step_tick='ok' step_cross='FAILED'
fi

# The process that `attend` waits for, and its group, so that a trap can end them.
step_child=''

# start COMMAND...: runs the command in the background, in a process group of its own.
start() {
  set -m
  "$@" &
  step_child=$!
  set +m
}

# attend COMMAND...: runs the command and waits. Bash runs traps only between commands, but also
# during `wait`: this way Ctrl-C and SIGTERM are heard at once, and end_child ends all there is.
attend() {
  local status=0
  start "$@"
  wait "$step_child" 2>/dev/null || status=$?
  step_child=''
  return "$status"
}

# end_child: ends what `attend` waits for, if anything, and all that it started; waits until they
# are gone. What still runs after 30 seconds is killed.
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

# passed TEXT [DETAIL], failed TEXT [DETAIL]: the line of a step that is over.
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

# quiet_step TEXT LOG COMMAND...: runs the command with its output in LOG. On a terminal the log's
# last line shows while it runs. Says one line when it is over, with the log's last line if TEXT
# ends in a colon; a failed command's log is shown. Returns the command's status.
quiet_step() {
  local text=$1 log=$2 status=0 last line
  shift 2
  : >"$log"
  if [[ -n $step_terminal ]]; then
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

# watch_log TEXT LOG COMMAND...: runs the command; shows the log's last line meanwhile.
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
