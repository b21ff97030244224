#!/usr/bin/env bash
# A real SLURM on this machine, for tests: controller, node, accounting, two fake GPUs, partitions that preempt.
#
#   cluster.sh start    install the packages (Debian, root), configure and start; exit 77 if they cannot be installed
#   cluster.sh stop     stop what was started
#   cluster.sh env      print the variables that SLURM's commands need, for `eval`
#
# Everything is under $STATE, nothing under /etc, and every daemon listens on 127.0.0.1 or a socket only. Neither systemd
# nor cgroups are needed. Starting twice changes nothing.
set -euo pipefail

STATE=${SLURM_TEST_STATE:-/var/lib/slurm-test}
CPUS=${SLURM_TEST_CPUS:-12}   # may be more than there are
PORT=${SLURM_TEST_PORT:-6817} # and the two above it; with another $STATE, a second cluster
HOST=$(hostname -s)
SOCKET=$STATE/mysql.sock
PACKAGES=(munge slurmctld slurmd slurm-client slurmdbd mariadb-server)
export SLURM_CONF=$STATE/slurm.conf

alive() { [ -s "$STATE/$1.pid" ] && kill -0 "$(cat "$STATE/$1.pid")" 2>/dev/null; }

wait_for() { # SECONDS COMMAND...: until the command succeeds
  local end=$((SECONDS + $1))
  shift
  while [ $SECONDS -lt $end ]; do timeout 10 "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "timed out waiting for: $*" >&2
  return 1
}

halt() { # NAME: stop a daemon and wait for its end
  alive "$1" || return 0
  local pid
  pid=$(cat "$STATE/$1.pid")
  kill "$pid"
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  rm -f "$STATE/$1.pid"
}

install_packages() {
  local missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "skipped: no SLURM for tests, since ${missing[*]} cannot be installed without root and apt-get" >&2
    exit 77
  fi
  # With systemd, installing would start the packages' own daemons.
  local policy=/usr/sbin/policy-rc.d ours=no installed=yes
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; ours=yes; }
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$STATE/apt.log" 2>&1 || installed=no
  [ $ours = no ] || rm $policy
  if [ $installed = no ]; then
    tail -5 "$STATE/apt.log" >&2
    echo "skipped: no SLURM for tests, since ${missing[*]} could not be installed" >&2
    exit 77
  fi
}

write_config() {
  local memory gpu
  memory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 * 9 / 10))
  for gpu in 0 1; do # a GPU needs an existing device: these are aliases of /dev/null
    [ -e "$STATE/gpu$gpu" ] || mknod "$STATE/gpu$gpu" c 1 3
  done
  printf "NodeName=$HOST Name=gpu Type=fake File=$STATE/gpu%d\n" 0 1 >"$STATE/gres.conf"
  cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$PORT
FirstJobId=$PORT # jobs of two clusters have different processes
SlurmdPort=$((PORT + 1))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
AuthType=auth/munge
# A requeued job waits until its old credential has expired, by default two minutes.
AuthInfo=socket=$STATE/munge/munge.sock,cred_expire=5
MpiDefault=none
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
# Memory is polled, since no cgroup limits it.
JobAcctGatherParams=OverMemoryKill
StateSaveLocation=$STATE/slurmctld
SlurmdSpoolDir=$STATE/slurmd
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd.pid
SlurmctldLogFile=$STATE/slurmctld.log
SlurmdLogFile=$STATE/slurmd.log
SlurmdParameters=config_overrides
# A node that was set down stays down until it is resumed.
ReturnToService=1
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2,bf_continue
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
GresTypes=gpu
MaxArraySize=1001
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# A preempted job receives the signal that it has requested.
SlurmctldParameters=preempt_send_user_signal
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$((PORT + 2))
AccountingStoragePass=$STATE/munge/munge.sock
AccountingStorageTRES=gres/gpu
# The QOS "three" takes three jobs of a user into the queue.
AccountingStorageEnforce=limits,qos
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$memory Gres=gpu:fake:2 State=UNKNOWN
PartitionName=main Nodes=$HOST Default=YES MaxTime=INFINITE State=UP PriorityTier=5 PreemptMode=OFF
PartitionName=low Nodes=$HOST MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=30
PartitionName=high Nodes=$HOST MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
END
  cat >"$STATE/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$STATE/munge/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((PORT + 2))
CommunicationParameters=NoInAddrAny
SlurmUser=root
LogFile=$STATE/slurmdbd.log
PidFile=$STATE/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
CommitDelay=1
END
  chmod 600 "$STATE/slurmdbd.conf"
}

start_munge() {
  alive munged && return
  mkdir -p "$STATE/munge"
  chown munge: "$STATE/munge"
  chmod 755 "$STATE/munge"
  [ -s "$STATE/munge/key" ] || head -c 1024 /dev/urandom >"$STATE/munge/key"
  chown munge: "$STATE/munge/key"
  chmod 400 "$STATE/munge/key"
  rm -f "$STATE"/munge/munge.sock*
  runuser -u munge -- munged --socket="$STATE/munge/munge.sock" --key-file="$STATE/munge/key" \
    --pid-file="$STATE/munge/pid" --log-file="$STATE/munge/log" --seed-file="$STATE/munge/seed"
  wait_for 10 test -s "$STATE/munge/pid"
  cp "$STATE/munge/pid" "$STATE/munged.pid"
}

start_database() {
  local sql=(mariadb --no-defaults -S "$SOCKET" -u root -e)
  if ! alive mariadb; then
    [ -d "$STATE/mysql/mysql" ] || mariadb-install-db --no-defaults --user=root --datadir="$STATE/mysql" \
      --skip-test-db --auth-root-authentication-method=socket >"$STATE/mariadb-install.log" 2>&1
    setsid mariadbd --no-defaults --user=root --datadir="$STATE/mysql" --socket="$SOCKET" \
      --pid-file="$STATE/mariadb.pid" --skip-networking --innodb-buffer-pool-size=64M --innodb-log-file-size=16M \
      --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=2 --skip-log-bin >"$STATE/mariadb.log" 2>&1 </dev/null &
    wait_for 60 "${sql[@]}" 'select 1'
  fi
  "${sql[@]}" 'CREATE DATABASE IF NOT EXISTS slurm_acct_db'
}

start_accounting() {
  # To the client library, localhost is this socket.
  alive slurmdbd || MYSQL_UNIX_PORT=$SOCKET slurmdbd
  wait_for 60 sacctmgr -n list cluster
  sacctmgr -n -P list cluster format=cluster | grep -qx test || sacctmgr -i -Q add cluster test >/dev/null
  sacctmgr -n -P list account format=account | grep -qx test || sacctmgr -i -Q add account test >/dev/null
  sacctmgr -n -P list qos format=name | grep -qx three \
    || sacctmgr -i -Q add qos three MaxSubmitJobsPerUser=3 >/dev/null
  sacctmgr -n -P list assoc user=root account=test format=user | grep -qx root \
    || sacctmgr -i -Q add user root account=test DefaultAccount=test AdminLevel=Administrator >/dev/null
  sacctmgr -n -P list assoc user=root account=test format=qos | grep -q three \
    || sacctmgr -i -Q modify user root where account=test set QOS+=three >/dev/null
  sacctmgr -n -P list assoc user=nobody account=test format=user | grep -qx nobody \
    || sacctmgr -i -Q add user nobody account=test DefaultAccount=test >/dev/null
}

start_slurm() {
  alive slurmctld || slurmctld
  wait_for 30 scontrol ping
  alive slurmd || slurmd
  node_is_usable() { sinfo -h -N -p main -o %t | grep -qxE 'idle|mix|alloc'; }
  for _ in $(seq 150); do
    node_is_usable && return
    scontrol update nodename="$HOST" state=resume 2>/dev/null || true # a test may have taken it down
    sleep 0.2
  done
  tail -5 "$STATE/slurmd.log" "$STATE/slurmctld.log" >&2
  return 1
}

case ${1:-} in
  start)
    mkdir -p "$STATE"/{slurmctld,slurmd,mysql} 2>/dev/null || true
    install_packages
    getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts
    alive slurmctld || write_config
    start_munge
    start_database
    start_accounting
    start_slurm
    ;;
  stop) for daemon in slurmd slurmctld slurmdbd mariadb munged; do halt $daemon; done ;;
  env) echo "export SLURM_CONF=$SLURM_CONF MYSQL_UNIX_PORT=$SOCKET" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
