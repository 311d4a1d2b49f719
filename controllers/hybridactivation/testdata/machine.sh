# A machine for the SSM agent: what it and its script write lands in memory. It prints
# "ready", and runs until it is killed. MACHINE is an empty directory, AGENT has the
# agent's binaries, URL is that of AWS, CA the certificate to trust.
set -eu
mount -t tmpfs tmpfs "$MACHINE"
for directory in etc run usr var root; do
  mkdir -p "$MACHINE/$directory/upper" "$MACHINE/$directory/work"
  mount -t overlay overlay -o "lowerdir=/$directory,upperdir=$MACHINE/$directory/upper,workdir=$MACHINE/$directory/work" "/$directory"
done
mkdir -p /etc/amazon/ssm
cp "$AGENT/amazon-ssm-agent" "$AGENT/ssm-agent-worker" "$AGENT/ssm-session-worker" "$AGENT/ssm-document-worker" /usr/bin/
cat >/etc/amazon/ssm/amazon-ssm-agent.json <<END
{"Ssm": {"Endpoint": "$URL"}, "Mgs": {"Endpoint": "$URL"}, "Mds": {"Endpoint": "$URL"}, "Identity": {"ConsumptionOrder": ["OnPrem"]}}
END
mkdir -p /etc/ssl/certs
cat "$CA" >>/etc/ssl/certs/ca-certificates.crt
# There is no systemd in a namespace.
cat >/usr/bin/systemctl <<'END'
#!/bin/sh
pid=/run/agent.pid
runs() { [ -s $pid ] && grep -q '^State:	[^Z]' "/proc/$(cat $pid)/status" 2>/dev/null; }
case $1 in
  is-active) runs ;;
  start)
    runs && exit 0
    setsid /usr/bin/amazon-ssm-agent >>/var/log/agent.log 2>&1 </dev/null 9>&- &
    echo $! >$pid
    ;;
  stop)
    ! runs || kill "$(cat $pid)"
    while runs; do sleep 0.1; done
    ;;
esac
END
chmod 755 /usr/bin/systemctl
echo ready
while :; do sleep 1; done
