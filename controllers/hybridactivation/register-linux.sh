#!/bin/sh
# Registers this Linux machine with AWS Systems Manager, as a managed node. The SSM
# agent must be installed, from a package (deb, rpm) or as a snap. Run it as root:
#
#   sudo sh register-linux.sh [--replace]
#
# A machine that is registered stays as it is, unless --replace is given. The agent
# empties its vault before it calls AWS. So the script copies the vault first, and
# restores it when the registration fails. When the script is killed, the next run
# restores it. Every end starts the agent's service again, if it ran or the machine
# is registered.
#
# Exit codes:
#   0  the machine is registered, and its service runs: it was registered before
#      and nothing changed, or it is registered now and AWS has answered its agent
#   1  an error that the script does not expect; the agent's state is as it was
#   2  wrong arguments; nothing was changed
#   3  not run as root; nothing was changed
#   4  the agent, systemctl or flock is missing; nothing was changed
#   5  another run is under way, or the agent that a killed run started
#   6  the agent did not register the machine; its state is as it was
#   7  the machine is registered and its service runs, but AWS has not answered the
#      agent in time; it may still
#   8  the agent's service could not be stopped or started
#   9  the agent's state could not be copied; nothing was changed
#  10  the agent's state could not be restored; the copy is kept, run it once more
#  129, 130, 131, 143  ended by a signal; the agent's state is as it was
set -eu

activation_id=@activation_id@
activation_code=@activation_code@
region=@region@

# The one place that names what is outside of this script.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=/var/lib/amazon/ssm
lock=/run/ssm-access-register.lock
package_agent=/usr/bin/amazon-ssm-agent
snap_agent=/snap/amazon-ssm-agent/current/amazon-ssm-agent
report_seconds=90
export PATH

package_service=amazon-ssm-agent.service
snap_service=snap.amazon-ssm-agent.amazon-ssm-agent.service
vault=$state/Vault
registration=$state/registration
identity=$state/runtimeconfig/identity_config.json
# The copy is on the file system of the vault: a rename restores it, which needs no
# space. backup.new is not complete yet, backup.done is not needed any more.
backup=$state/ssm-access-backup
# A run that stops the service leaves its name in this file until the service runs again.
was_running=$state/ssm-access-was-running

replace=no
# keep_running is yes when the service must run in the end.
keep_running=no

# Output that nobody reads any more changes nothing: see the trap of PIPE.
say() { printf '%s\n' "$1" || :; }

warn() { printf '%s\n' "$1" >&2 || :; }

fail() {
  warn "$2"
  exit "$1"
}

main() {
  umask 077
  for argument in "$@"; do
    case $argument in
      --replace) replace=yes ;;
      *) fail 2 "The argument '$argument' is not known. Usage: sudo sh register-linux.sh [--replace]" ;;
    esac
  done
  [ "$(id -u)" = 0 ] || fail 3 "Run this script as root, for example with sudo."
  find_agent
  take_lock
  trap finish EXIT
  trap '' PIPE
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 131' QUIT
  trap 'exit 143' TERM
  recover
  old=$(instance_id "$vault")
  if [ -n "$old" ]; then
    keep_running=yes
    if [ "$replace" = no ]; then
      say "This machine is registered as $old already, and nothing was changed. To register it once more, as another node, run the script with --replace."
      exit 0
    fi
    say "This machine is registered as $old. It becomes another node; deregister $old afterwards."
  fi
  stop_service
  back_up
  register
  keep_running=yes
  discard_backup
  start_service || fail 8 "The machine is registered as $new, but the service $service does not start. See: journalctl -u $service"
  wait_for_report
}

# find_agent finds the agent and its service. Where there are a package and a snap,
# the one whose service runs counts, or was stopped by a killed run, else the package.
find_agent() {
  for tool in systemctl flock; do
    command -v "$tool" >/dev/null || fail 4 "This script needs $tool, which is not in $PATH."
  done
  agent=$package_agent service=$package_service
  if [ -x "$snap_agent" ] && snap_counts; then
    agent=$snap_agent service=$snap_service
  fi
  [ -x "$agent" ] || fail 4 "Install amazon-ssm-agent first, as a package or as a snap."
}

snap_counts() {
  [ -x "$package_agent" ] || return 0
  stopped=''
  if [ -s "$was_running" ]; then
    read -r stopped <"$was_running" || :
  fi
  case $stopped in
    "$snap_service") return 0 ;;
    "$package_service") return 1 ;;
  esac
  systemctl is-active --quiet "$snap_service"
}

# take_lock lets one run at a time pass. The agent inherits the lock, so it stays
# taken while an agent registers whose script was killed.
take_lock() {
  mkdir -p "$state"
  # exec ends the shell when it fails, so this comes first.
  true >>"$lock" || fail 1 "The lock $lock cannot be written. Nothing was changed."
  exec 9>>"$lock"
  flock -n 9 || fail 5 "Another run of this script is under way, or the agent that a killed run started. Wait until it ends, and run the script once more."
}

# instance_id prints the id of the node that a vault holds, and nothing when it holds
# none that the agent could use. The file registration names a node long after.
instance_id() {
  key=$1/Store/RegistrationKey
  [ -s "$key" ] && [ -s "$1/Manifest" ] || return 0
  grep -q '"privateKey":"[^"]' "$key" && grep -q '"region":"[^"]' "$key" && grep -q '}$' "$key" || return 0
  sed -n 's/.*"instanceID":"\(mi-[0-9a-f]\{8,64\}\)".*/\1/p' "$key"
}

# recover ends what a killed run began: it restores the copy that the run left, unless
# the vault makes the machine a node. Then the agent had not emptied it yet and may
# have renewed its key since, or had registered the machine.
recover() {
  rm -rf "$backup.new" "$backup.done"
  if [ -e "$was_running" ]; then
    keep_running=yes
  fi
  [ -d "$backup" ] || return 0
  say "An earlier run of this script was killed. Its copy of the agent's state is in $backup."
  stop_service
  if [ ! -e "$backup/restoring" ]; then
    new=$(instance_id "$vault")
    if [ -n "$new" ]; then
      say "The machine is registered as $new, so the copy is deleted."
      discard_backup
      return 0
    fi
  fi
  restore || fail 10 "The agent's state could not be restored from $backup. Make the file system of $state writable, and run this script once more."
  say "The agent's state is as it was before that run."
}

stop_service() {
  if systemctl is-active --quiet "$service"; then
    keep_running=yes
    printf '%s\n' "$service" >"$was_running" || fail 9 "Nothing can be written into $state, and nothing was changed. Is the file system full?"
  fi
  systemctl stop "$service" || fail 8 "The service $service could not be stopped, and nothing was changed."
}

# start_service tries several times: systemd refuses a service that was started too
# often.
start_service() {
  for try in 1 2 3; do
    systemctl reset-failed "$service" >/dev/null 2>&1 || :
    if systemctl start "$service"; then
      return 0
    fi
    [ "$try" = 3 ] || sleep 1
  done
  return 1
}

# back_up copies the vault and the file registration. The rename at the end makes the
# copy count: until then, nothing was changed.
back_up() {
  [ ! -L "$vault" ] || fail 9 "$vault is a symbolic link, which this script does not replace. Nothing was changed."
  copy || {
    rm -rf "$backup.new"
    fail 9 "The agent's state in $state could not be copied, and nothing was changed. Is the file system full?"
  }
}

copy() {
  mkdir -m 700 "$backup.new" || return 1
  true >"$backup.new/intact" || return 1
  if [ -d "$vault" ]; then
    true >"$backup.new/had-vault" || return 1
    cp -RPp "$vault" "$backup.new/Vault" || return 1
  fi
  if [ -f "$registration" ]; then
    true >"$backup.new/had-registration" || return 1
    cp -p "$registration" "$backup.new/registration" || return 1
  fi
  chmod -R go= "$backup.new" || return 1
  sync
  mv "$backup.new" "$backup"
}

# register has the agent register the machine, and believes the vault, not the agent.
register() {
  say "Registering this machine in $region."
  code=0
  (
    use_proxy
    exec "$agent" -register -y -code "$activation_code" -id "$activation_id" -region "$region"
  ) </dev/null || code=$?
  [ "$code" = 0 ] || fail 6 "The agent did not register the machine; it ended with code $code. Its message is above."
  new=$(instance_id "$vault")
  if [ -z "$new" ] || [ "$new" = "$old" ]; then
    fail 6 "The agent did not register the machine: its vault holds no new node."
  fi
}

# use_proxy exports the proxy settings of the agent's service, which its own process
# gets and -register does not. Settings of the caller win. The text is cut character
# by character, and no part of it is evaluated.
use_proxy() {
  [ -z "${http_proxy-}${https_proxy-}${HTTP_PROXY-}${HTTPS_PROXY-}" ] || return 0
  text=$(systemctl show -p Environment "$service" 2>/dev/null) || return 0
  text=${text#Environment=}
  word='' quoted=no
  while [ -n "$text" ]; do
    rest=${text#?}
    character=${text%"$rest"}
    text=$rest
    case $character$quoted in
      '"no') quoted=yes ;;
      '"yes') quoted=no ;;
      ' no')
        use_setting "$word"
        word=''
        ;;
      \\*)
        rest=${text#?}
        word=$word${text%"$rest"}
        text=$rest
        ;;
      *) word=$word$character ;;
    esac
  done
  use_setting "$word"
}

use_setting() {
  case $1 in
    *[[:cntrl:]]*) ;;
    http_proxy=* | https_proxy=* | no_proxy=* | HTTP_PROXY=* | HTTPS_PROXY=* | NO_PROXY=*)
      export "${1?}"
      ;;
  esac
}

# restore puts back what back_up copied. Each step is a rename and may be repeated,
# so that it can be killed at any point.
restore() {
  [ -e "$backup/restoring" ] || mv -f "$backup/intact" "$backup/restoring" || return 1
  if [ -e "$backup/had-vault" ]; then
    if [ -d "$backup/Vault" ]; then
      rm -rf "$backup/failed" || return 1
      if [ -e "$vault" ]; then
        mv -f "$vault" "$backup/failed" || return 1
      fi
      mv -f "$backup/Vault" "$vault" || return 1
    fi
  else
    rm -rf "$vault" || return 1
  fi
  if [ -e "$backup/had-registration" ]; then
    if [ -e "$backup/registration" ]; then
      mv -f "$backup/registration" "$registration" || return 1
    fi
  else
    rm -f "$registration" || return 1
  fi
  discard_backup
}

discard_backup() {
  mv "$backup" "$backup.done" || return 1
  rm -rf "$backup.done" || warn "Delete $backup.done: it holds a key of the agent that is not needed any more."
}

# wait_for_report waits until the agent has credentials of its node, which AWS gives
# to no other.
wait_for_report() {
  waited=0
  until grep -q "\"InstanceId\":\"$new\"" "$identity" 2>/dev/null && grep -q '"CredentialsExpiresAt":"[1-9]' "$identity"; do
    [ "$waited" -lt "$report_seconds" ] || fail 7 "The machine is registered as $new and its service runs, but AWS has not answered the agent within $report_seconds seconds. See: journalctl -u $service, and /var/log/amazon/ssm"
    sleep 1
    waited=$((waited + 1))
  done
  say "This machine is registered as $new, and AWS has answered its agent."
}

# finish runs however the script ends.
# shellcheck disable=SC2317 # The trap calls it.
finish() {
  code=$?
  set +e
  trap - EXIT
  trap '' HUP INT QUIT TERM
  if [ -d "$backup" ]; then
    if restore; then
      kept=$(instance_id "$vault")
      if [ -n "$kept" ]; then
        warn "The agent's state was restored: this machine is registered as $kept."
      else
        warn "The agent's state was restored: this machine is not registered."
      fi
    else
      warn "The agent's state could not be restored. The copy is in $backup: run this script once more."
      code=10
    fi
  fi
  if [ "$keep_running" = yes ] && ! systemctl is-active --quiet "$service" && ! start_service; then
    warn "The service $service does not start. See: journalctl -u $service"
    if [ "$code" = 0 ]; then
      code=8
    fi
    exit "$code"
  fi
  rm -f "$was_running" || :
  exit "$code"
}

# Last, so that a script of which a part is missing does nothing. One line, so that
# nothing is read of the script, which may be the standard input, once it runs.
main "$@" </dev/null; exit
