# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# monitoring: Prometheus, its exporters, Alertmanager and dashboards, all on the host itself.
{ pkgs, ... }:
{
  services.prometheus = {
    enable = true;
    # It has no login, so it stays on loopback; to look: ssh -L 9090:localhost:9090 HOST
    listenAddress = "127.0.0.1";
    port = 9090;
    retentionTime = "90d";
    globalConfig = {
      scrape_interval = "30s";
      evaluation_interval = "30s";
      # Every alert says where it comes from.
      external_labels.host = "ember";
    };
    scrapeConfigs = [
      {
        job_name = "prometheus";
        static_configs = [
          {
            targets = [ "127.0.0.1:9090" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "alertmanager";
        static_configs = [
          {
            targets = [ "127.0.0.1:9093" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "grafana";
        static_configs = [
          {
            targets = [ "10.10.0.2:3000" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "node";
        static_configs = [
          {
            targets = [ "127.0.0.1:9100" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "systemd";
        static_configs = [
          {
            targets = [ "127.0.0.1:9558" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "zfs";
        static_configs = [
          {
            targets = [ "127.0.0.1:9134" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "smartctl";
        static_configs = [
          {
            targets = [ "127.0.0.1:9633" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "wireguard";
        static_configs = [
          {
            targets = [ "127.0.0.1:9586" ];
            labels = { instance = "ember"; };
          }
        ];
      }
      {
        job_name = "runtime";
        static_configs = [
          {
            targets = [ "10.30.0.2:8470" ];
            labels = { instance = "ember"; };
          }
        ];
      }
    ];
    alertmanagers = [ { static_configs = [ { targets = [ "127.0.0.1:9093" ]; } ]; } ];
    # The last group is what this host has promised, so that an alert fires on silence and not only
    # on a failure.
    rules = [
      ''
        # Alerts of every host. What a host has promised stands in series named emily_promised_*, which the
        # rendered module records from host.yaml, so that silence about a promise is an alert as well.
        #
        # Our own programs write these into the node exporter's textfile folder:
        #   emily_backup_last_success_timestamp_seconds{repository}
        #   emily_backup_incomplete{repository}               1 if the newest copy lacks files; they count:
        #   emily_backup_files_failed{repository}
        #   emily_backup_files{repository}                    of the newest copy, as the next three
        #   emily_backup_bytes{repository}
        #   emily_backup_added_bytes{repository}              what it sent
        #   emily_backup_duration_seconds{repository}
        #   emily_prune_last_success_timestamp_seconds{repository}
        #   emily_verify_last_success_timestamp_seconds{repository}
        #   emily_verify_oldest_timestamp_seconds{repository} when the share was read that waits longest
        #   emily_verify_errors{repository}                   of the newest run
        #   emily_repository_bytes{repository}
        #   emily_lock_removed_total{repository}              locks of runs that had died
        #   emily_restore_test_last_success_timestamp_seconds{repository}
        #   emily_restore_test_success{repository}            1 or 0, of the newest drill
        #   emily_restore_seconds_per_gigabyte{repository}    measured in the newest drill
        #   emily_evidence_valid                              1 if the drills' log is whole and signed, or 0
        #   emily_replica_last_success_timestamp_seconds{target,dataset}
        #   emily_replica_newest_snapshot_timestamp_seconds{target,dataset}   as the far side says
        #   emily_received_newest_timestamp_seconds{sender}   of all that it sends here, as this side sees it
        #   emily_snapshot_newest_timestamp_seconds{dataset}
        #   emily_snapshot_count{dataset}                     of our own ones
        #   emily_snapshot_stopped{dataset,reason}            1 while nothing of it is expired
        #   emily_quiesce_success{hook}                       1 or 0, of the newest snapshot
        #   emily_pool_last_commit_timestamp_seconds{pool}    when it last wrote; an idle pool does every 5 s
        #   emily_deploy_last_timestamp_seconds               when the last deploy began or got its verdict
        #   emily_deploy_last_verdict{verdict}                1; committed, abandoned, rolled-back, lost; open
        #   emily_deploy_duration_seconds
        groups:
          - name: watching
            rules:
              - alert: Watchdog
                expr: vector(1)
                labels: { severity: none }
                annotations:
                  summary: "Alerting works on {{ $externalLabels.host }}; when this stops arriving, it does not."
              - alert: TargetDown
                expr: up{job=~"node|zfs"} == 0
                for: 5m
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: the {{ $labels.job }} exporter has not answered for 5 minutes; its alerts are blind."
              - alert: TargetDown
                expr: up{job!~"node|zfs|runtime"} == 0
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.job }} has not answered for 5 minutes."
              - alert: TextfileBroken
                expr: node_textfile_scrape_error == 1
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: a file in the textfile folder cannot be read; backups and drills report through it."
              - alert: RuleBroken
                expr: increase(prometheus_rule_evaluation_failures_total[10m]) > 0
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: '{{ $externalLabels.host }}: {{ $value | printf "%.0f" }} evaluations of {{ $labels.rule_group }} failed in 10 minutes.'
              - alert: NotifyBroken
                expr: increase(alertmanager_notifications_failed_total[10m]) > 0
                for: 10m
                labels: { severity: critical }
                annotations:
                  summary: '{{ $externalLabels.host }}: {{ $value | printf "%.0f" }} notifications by {{ $labels.integration }} failed in 10 minutes.'

          - name: system
            rules:
              - alert: UnitFailed
                expr: node_systemd_unit_state{state="failed"} == 1
                for: 1m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.name }} has failed; journalctl -u {{ $labels.name }} says why."
              - alert: UnitRestarting
                expr: increase(node_systemd_service_restart_total[1h]) > 5
                labels: { severity: warning }
                annotations:
                  summary: '{{ $externalLabels.host }}: {{ $labels.name }} restarted {{ $value | printf "%.0f" }} times in an hour.'
              - alert: MemoryPressure
                expr: rate(node_pressure_memory_stalled_seconds_total[5m]) > 0.1
                for: 5m
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: everything stood still for want of memory {{ $value | humanizePercentage }} of the time."
              - alert: OomKill
                expr: increase(node_vmstat_oom_kill[10m]) > 0
                labels: { severity: critical }
                annotations:
                  summary: '{{ $externalLabels.host }}: the kernel killed {{ $value | printf "%.0f" }} processes for memory in 10 minutes.'
              - alert: ClockSkew
                expr: abs(node_timex_offset_seconds) > 0.05
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: the clock is off by {{ $value | humanizeDuration }}; 50ms is the limit."
              - alert: ClockNotSynchronised
                expr: node_timex_sync_status == 0
                for: 15m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: no time server has set the clock for 15 minutes."
              - alert: WireguardStale
                expr: >-
                  wireguard_latest_handshake_delay_seconds
                  * on (interface, public_key) group_left (peer) emily_promised_tunnel > 300
                for: 2m
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: no handshake with {{ $labels.peer }} on {{ $labels.interface }} for {{ $value | humanizeDuration }}."

          - name: deploys
            rules:
              - alert: DeployLost
                expr: emily_deploy_last_verdict{verdict="lost"} == 1
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: the last deploy failed, and so did going back; what runs is neither the old system nor the new one."
              - alert: DeployRolledBack
                expr: emily_deploy_last_verdict{verdict="rolled-back"} == 1
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: the last deploy went back to the system before it; emily-infra history {{ $externalLabels.host }} says why."
              # Three hours: the most that host.yaml lets an activation and the wait for its confirmation take.
              - alert: DeployUnsettled
                expr: emily_deploy_last_verdict{verdict="open"} == 1
                for: 3h
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: a deploy has no verdict after 3 hours; emily-infra history {{ $externalLabels.host }} says where it stands."

          - name: runtime
            rules:
              # The port is systemd's, so it stays open: whoever calls waits.
              - alert: RuntimeDown
                expr: up{job="runtime"} == 0
                for: 2m
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: the cognitive runtime has not answered for 2 minutes;
                    emily-infra runtime status {{ $externalLabels.host }} shows both colours.
              - alert: RuntimeRestarting
                expr: increase(node_systemd_service_restart_total{name=~"emily-runtime@.+"}[15m]) > 2
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.name }} restarted {{ $value | printf "%.0f" }} times
                    in 15 minutes; emily-infra runtime rollback {{ $externalLabels.host }} goes back a version.
              - alert: RuntimePressure
                expr: emily_pressure_level >= 3
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: for want of memory the runtime has sent new work away for 5
                    minutes (step {{ $value | printf "%.0f" }} of 4).

              - alert: RuntimeErrors
                expr: >-
                  sum(rate(emily_http_request_seconds_count{status=~"5.."}[5m]))
                  / sum(rate(emily_http_request_seconds_count[5m])) > 0.01
                for: 5m
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $value | humanizePercentage }} of the runtime's requests
                    fail; emily-infra runtime logs {{ $externalLabels.host }} says why.
              # What was left at most within a day is the limit: each window begins with all of it.
              - alert: RuntimeBudget
                expr: >-
                  emily_llm_budget_remaining_dollars
                  < 0.1 * max_over_time(emily_llm_budget_remaining_dollars[25h])
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: of the budget of this {{ $labels.window }} for language models
                    {{ $value | printf "%.2f" }} dollars are left; then the offline one answers.
              # One collapse may be a caller's own wish; many are a sampler that no longer follows its reward.
              - alert: RuntimeCollapse
                expr: increase(gflownet_mode_collapse_total[1h]) > 5
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $value | printf "%.0f" }} draws of hypotheses within an hour
                    had far less variety than their reward asks for; if that came with a new version,
                    emily-infra runtime rollback {{ $externalLabels.host }} goes back.

          - name: storage
            rules:
              # The kernel's own words: zpool, which the zfs exporter runs, may hang with the pool.
              - alert: ZpoolNotOnline
                expr: node_zfs_zpool_state{state!="online"} == 1
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: pool {{ $labels.zpool }} is {{ toUpper $labels.state }};
                    emily-infra disk list {{ $externalLabels.host }} names the disks and their bays.
              - alert: ZpoolMissing
                expr: >-
                  emily_promised_pool
                  unless on (pool) label_replace(node_zfs_zpool_state, "pool", "$1", "zpool", "(.*)")
                for: 5m
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: pool {{ $labels.pool }} is not imported; zpool import says what it finds of it."
              - alert: ZpoolStandsStill
                expr: time() - emily_pool_last_commit_timestamp_seconds > 120
                for: 1m
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: pool {{ $labels.pool }} has written nothing for
                    {{ $value | humanizeDuration }}, whatever its state says, or emily-pool-liveness does not
                    run; emily-infra status {{ $externalLabels.host }} tells which.
              - alert: ZpoolFull
                expr: zfs_pool_allocated_bytes / zfs_pool_size_bytes > 0.8
                for: 10m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: pool {{ $labels.pool }} is {{ $value | humanizePercentage }} full."
              - alert: ZpoolFull
                expr: zfs_pool_allocated_bytes / zfs_pool_size_bytes > 0.9
                for: 10m
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: pool {{ $labels.pool }} is {{ $value | humanizePercentage }} full; writes grow slow."
              - alert: FilesystemFullSoon
                expr: >-
                  node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|fuse.*"} / node_filesystem_size_bytes < 0.4
                  and predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|fuse.*"}[6h], 86400) < 0
                for: 30m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left and is full within a day at this pace."
              - alert: DiskSmart
                expr: smartctl_device_smart_status == 0
                for: 5m
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.device }} says that it is failing{{ range printf
                    "smartctl_device{device='%s'}" $labels.device | query }} ({{ .Labels.model_name }},
                    serial {{ .Labels.serial_number }}){{ end }}.
              - alert: DiskSectors
                expr: >-
                  delta(smartctl_device_attribute{attribute_value_type="raw",
                  attribute_name=~"Reallocated_Sector_Ct|Current_Pending_Sector|Offline_Uncorrectable"}[1d]) >= 1
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: '{{ $externalLabels.host }}: {{ $labels.attribute_name }} of {{ $labels.device }} grew by {{ $value | printf "%.0f" }} in a day.'
              - alert: DiskWorn
                expr: smartctl_device_percentage_used > 80
                for: 5m
                labels: { severity: warning }
                annotations:
                  summary: '{{ $externalLabels.host }}: {{ $labels.device }} has used {{ $value | printf "%.0f" }} % of the writes it is made for.'

          - name: data
            rules:
              - alert: BackupStale
                expr: >-
                  time() - emily_backup_last_success_timestamp_seconds
                  > on (repository) group_left () emily_promised_backup_seconds
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: the last good copy in {{ $labels.repository }} is {{ $value | humanizeDuration }} old."
              - alert: BackupMissing
                expr: >-
                  emily_promised_backup_seconds
                  unless on (repository) emily_backup_last_success_timestamp_seconds
                for: 26h
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.repository }} has reported no copy for 26 hours; one is promised every {{ $value | humanizeDuration }}."
              # The copy is there and can be restored; what could not be read of it is not.
              - alert: BackupIncomplete
                expr: emily_backup_incomplete == 1
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ range printf
                    "emily_backup_files_failed{repository='%s'}" $labels.repository | query }}{{ .Value }} files
                    {{ else }}some files {{ end }}are missing in the newest copy in {{ $labels.repository }};
                    journalctl -u emily-offsite-{{ $labels.repository }} names them.
              - alert: PruneStale
                expr: >-
                  time() - emily_prune_last_success_timestamp_seconds
                  > on (repository) group_left () emily_promised_prune_seconds
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: nothing was forgotten in {{ $labels.repository }} for
                    {{ $value | humanizeDuration }}; it grows, and a lock may be in the way.
              - alert: VerifyErrors
                expr: emily_verify_errors > 0
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: reading back {{ $labels.repository }} found
                    {{ $value | printf "%.0f" }} errors; do not prune it, and read on with journalctl -u
                    emily-verify-{{ $labels.repository }}.
              - alert: VerifyStale
                expr: >-
                  time() - emily_verify_last_success_timestamp_seconds
                  > on (repository) group_left () emily_promised_verify_seconds
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: nothing of {{ $labels.repository }} was read back for {{ $value | humanizeDuration }}."
              - alert: VerifyBehind
                expr: >-
                  time() - emily_verify_oldest_timestamp_seconds
                  > on (repository) group_left () emily_promised_verified_seconds
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: a part of {{ $labels.repository }} was last read back
                    {{ $value | humanizeDuration }} ago, longer than promised.
              # Forty days: longer than a month, which is the longest time between two runs.
              - alert: UpkeepMissing
                expr: >-
                  emily_promised_prune_seconds unless on (repository) emily_prune_last_success_timestamp_seconds
                  or emily_promised_verify_seconds unless on (repository) emily_verify_last_success_timestamp_seconds
                for: 40d
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.repository }} has never been pruned or read back; one
                    is promised every {{ $value | humanizeDuration }}.
              # A first copy, or one of many new files, may do so once.
              - alert: RepositoryGrows
                expr: >-
                  emily_repository_bytes > 1.5 * emily_repository_bytes offset 7d
                  and emily_repository_bytes - emily_repository_bytes offset 7d > 100e9
                for: 1h
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.repository }} grew by half within a week and holds
                    {{ $value | humanize1024 }}B; a cache that is no longer excluded, or files that somebody encrypted?
              - alert: LockRemoved
                expr: increase(emily_lock_removed_total[1d]) > 0
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: a run on {{ $labels.repository }} had died and left its lock,
                    which was removed.
              - alert: ReplicaStale
                expr: >-
                  time() - emily_replica_newest_snapshot_timestamp_seconds
                  > on (target, dataset) group_left () emily_promised_replica_seconds
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: the newest snapshot of {{ $labels.dataset }} on {{ $labels.target }} is {{ $value | humanizeDuration }} old."
              - alert: ReplicaMissing
                expr: >-
                  emily_promised_replica_seconds
                  unless on (target, dataset) emily_replica_newest_snapshot_timestamp_seconds
                for: 26h
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.target }} has no snapshot of {{ $labels.dataset }};
                    one is promised every {{ $value | humanizeDuration }}.
              - alert: ReceivedStale
                expr: >-
                  time() - emily_received_newest_timestamp_seconds
                  > on (sender) group_left () emily_promised_received_seconds
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: the newest snapshot that {{ $labels.sender }} sent here is
                    {{ $value | humanizeDuration }} old. Look there first: journalctl -u 'emily-replicate-*'
              - alert: ReceivedMissing
                expr: >-
                  emily_promised_received_seconds unless on (sender) emily_received_newest_timestamp_seconds
                for: 26h
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: nothing has ever come from {{ $labels.sender }}, which is to
                    send at least every {{ $value | humanizeDuration }}.
              - alert: EvidenceBroken
                expr: emily_evidence_valid == 0
                labels: { severity: critical }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: the log of restore drills was changed, or a signature in it does
                    not hold; emily-infra backup evidence says where.
              - alert: RestoreTestFailed
                expr: emily_restore_test_success == 0
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: the last restore from {{ $labels.repository }} did not give back what was stored."
              - alert: RestoreTestStale
                expr: >-
                  time() - emily_restore_test_last_success_timestamp_seconds
                  > on (repository) group_left () emily_promised_restore_test_seconds
                labels: { severity: critical }
                annotations:
                  summary: "{{ $externalLabels.host }}: nothing was restored from {{ $labels.repository }} for {{ $value | humanizeDuration }}."
              - alert: RestoreTestMissing
                expr: >-
                  emily_promised_restore_test_seconds
                  unless on (repository) emily_restore_test_last_success_timestamp_seconds
                for: 8d
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.repository }} has never been restored from; a drill is promised every {{ $value | humanizeDuration }}."
              - alert: SnapshotStale
                expr: >-
                  time() - emily_snapshot_newest_timestamp_seconds
                  > on (dataset) group_left () emily_promised_snapshot_seconds
                for: 15m
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: the newest snapshot of {{ $labels.dataset }} is {{ $value | humanizeDuration }} old."
              - alert: SnapshotMissing
                expr: >-
                  emily_promised_snapshot_seconds
                  unless on (dataset) emily_snapshot_newest_timestamp_seconds
                for: 26h
                labels: { severity: warning }
                annotations:
                  summary: "{{ $externalLabels.host }}: {{ $labels.dataset }} has no snapshot; one is promised every {{ $value | humanizeDuration }}."
              - alert: SnapshotsStopped
                expr: emily_snapshot_stopped == 1
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: no snapshot of {{ $labels.dataset }} is expired
                    ({{ $labels.reason }}); journalctl -u emily-snapshot says what to do.
              # Held ones and those before an apply come on top of the policy, but not as many again.
              - alert: SnapshotsTooMany
                expr: >-
                  emily_snapshot_count > on (dataset) group_left () 2 * emily_promised_snapshots
                  and on (dataset) emily_snapshot_count - on (dataset) emily_promised_snapshots > 10
                for: 1h
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.dataset }} has {{ $value | printf "%.0f" }} snapshots, over
                    twice what its policy keeps; emily-infra backup expire --dry-run says why.
              - alert: QuiesceFailed
                expr: emily_quiesce_success == 0
                labels: { severity: warning }
                annotations:
                  summary: >-
                    {{ $externalLabels.host }}: {{ $labels.hook }} did not make its data consistent before the
                    newest snapshot; a restore may have to repair a database.

          - name: promises
            rules:
              - record: emily_promised_backup_seconds
                expr: vector(93600)
                labels: {"repository": "s3"}
              - record: emily_promised_prune_seconds
                expr: vector(655200)
                labels: {"repository": "s3"}
              - record: emily_promised_verify_seconds
                expr: vector(93600)
                labels: {"repository": "s3"}
              - record: emily_promised_verified_seconds
                expr: vector(2620800)
                labels: {"repository": "s3"}
              - record: emily_promised_restore_test_seconds
                expr: vector(655200)
                labels: {"repository": "s3"}
              - record: emily_promised_snapshot_seconds
                expr: vector(7200)
                labels: {"dataset": "ember/code"}
              - record: emily_promised_snapshots
                expr: vector(70)
                labels: {"dataset": "ember/code"}
              - record: emily_promised_snapshot_seconds
                expr: vector(93600)
                labels: {"dataset": "ember/media"}
              - record: emily_promised_snapshots
                expr: vector(28)
                labels: {"dataset": "ember/media"}
              - record: emily_promised_snapshot_seconds
                expr: vector(93600)
                labels: {"dataset": "ember/models"}
              - record: emily_promised_snapshots
                expr: vector(28)
                labels: {"dataset": "ember/models"}
              - record: emily_promised_snapshot_seconds
                expr: vector(7200)
                labels: {"dataset": "rpool/root"}
              - record: emily_promised_snapshots
                expr: vector(31)
                labels: {"dataset": "rpool/root"}
              - record: emily_promised_snapshot_seconds
                expr: vector(7200)
                labels: {"dataset": "rpool/state"}
              - record: emily_promised_snapshots
                expr: vector(31)
                labels: {"dataset": "rpool/state"}
              - record: emily_promised_pool
                expr: vector(1)
                labels: {"pool": "ember"}
              - record: emily_promised_pool
                expr: vector(1)
                labels: {"pool": "rpool"}
              - record: emily_promised_tunnel
                expr: vector(1)
                labels: {"interface": "wg0", "peer": "minnesota", "public_key": "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E="}
      ''
    ];
  };

  # Exporters listen on every address unless they are told one.
  services.prometheus.exporters = {
    node = {
      enable = true;
      listenAddress = "127.0.0.1";
      enabledCollectors = [
        "pressure"
        "systemd"
        "textfile"
        "zfs"
      ];
      extraFlags = [
        "--collector.systemd.enable-restarts-metrics"
        "--collector.textfile.directory=/var/lib/emily/metrics"
      ];
      openFirewall = false;
    };
    systemd = {
      enable = true;
      listenAddress = "127.0.0.1";
      openFirewall = false;
    };
    zfs = {
      enable = true;
      listenAddress = "127.0.0.1";
      openFirewall = false;
    };
    smartctl = {
      enable = true;
      listenAddress = "127.0.0.1";
      # Asking wakes a disk's controller; a failing disk takes days, not seconds.
      maxInterval = "5m";
      openFirewall = false;
    };
    wireguard = {
      enable = true;
      listenAddress = "127.0.0.1";
      interfaces = [ "wg0" ];
      # The age of the last handshake, which is how a dead tunnel shows.
      latestHandshakeDelay = true;
      openFirewall = false;
    };
  };

  services.prometheus.alertmanager = {
    enable = true;
    listenAddress = "127.0.0.1";
    port = 9093;
    openFirewall = false;
    # One Alertmanager is no cluster; by default it would wait for others on every address.
    extraFlags = [ "--cluster.listen-address=" ];
    configuration = {
      route = {
        receiver = "operators";
        group_by = [ "alertname" ];
        group_wait = "30s";
        group_interval = "5m";
        repeat_interval = "12h";
        routes = [
          {
            matchers = [ "alertname=\"Watchdog\"" ];
            receiver = "heartbeat";
            group_wait = "0s";
            group_interval = "1m";
            repeat_interval = "50s";
          }
          {
            matchers = [ "severity=\"critical\"" ];
            receiver = "operators";
            repeat_interval = "2h";
          }
        ];
      };
      inhibit_rules = [
        {
          source_matchers = [ "severity=\"critical\"" ];
          target_matchers = [ "severity=\"warning\"" ];
          equal = [
            "alertname"
            "job"
            "pool"
          ];
        }
      ];
      receivers = [
        {
          name = "operators";
          webhook_configs = [
            {
              url_file = "/run/credentials/alertmanager.service/notify";
              send_resolved = true;
            }
          ];
        }
        { name = "heartbeat"; }
      ];
    };
  };
  systemd.services.alertmanager.serviceConfig.LoadCredential = [ "notify:/run/secrets/alert-webhook" ];

  services.grafana = {
    enable = true;
    openFirewall = false;
    settings = {
      server = {
        http_addr = "10.10.0.2";
        http_port = 3000;
        domain = "10.10.0.2";
      };
      security = {
        admin_password = "$__file{/run/credentials/grafana.service/admin-password}";
        # Seals stored credentials. Changing it later loses them.
        secret_key = "$__file{/run/credentials/grafana.service/secret-key}";
        disable_gravatar = true;
      };
      users.allow_sign_up = false;
      dashboards.default_home_dashboard_path = "/etc/emily/dashboards/overview.json";
      # It calls nobody.
      analytics = {
        check_for_plugin_updates = false;
        check_for_updates = false;
        feedback_links_enabled = false;
        reporting_enabled = false;
      };
      news.news_feed_enabled = false;
      plugins.preinstall_disabled = true;
    };
    provision = {
      enable = true;
      datasources.settings = {
        apiVersion = 1;
        datasources = [
          {
            name = "Prometheus";
            uid = "emily-prometheus";
            type = "prometheus";
            url = "http://127.0.0.1:9090";
            isDefault = true;
          }
        ];
      };
      dashboards.settings = {
        apiVersion = 1;
        providers = [
          {
            name = "emily";
            options = { path = "/etc/emily/dashboards"; };
            allowUiUpdates = false;
          }
        ];
      };
    };
  };
  systemd.services.grafana.serviceConfig.LoadCredential = [
    "admin-password:/run/secrets/grafana-admin"
    "secret-key:/run/secrets/grafana-key"
  ];
  environment.etc."emily/dashboards/overview.json".text = ''
    {
      "uid": "emily-overview",
      "title": "Overview",
      "tags": [
        "emily"
      ],
      "timezone": "browser",
      "editable": false,
      "refresh": "30s",
      "schemaVersion": 39,
      "time": {
        "from": "now-24h",
        "to": "now"
      },
      "templating": {
        "list": [
          {
            "name": "host",
            "label": "Host",
            "type": "query",
            "datasource": {
              "type": "prometheus",
              "uid": "emily-prometheus"
            },
            "query": "label_values(node_boot_time_seconds, instance)",
            "refresh": 1,
            "multi": false,
            "current": {}
          }
        ]
      },
      "panels": [
        {"title": "Alerts firing", "type": "stat", "gridPos": {"x": 0, "y": 0, "w": 4, "h": 5}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none", "thresholds": {"mode": "absolute", "steps": [{"color": "green", "value": null}, {"color": "red", "value": 1}]}}}, "id": 1,
         "targets": [
           {"refId": "A", "expr": "count(ALERTS{alertstate=\"firing\", alertname!=\"Watchdog\"}) or vector(0)", "legendFormat": "alerts", "instant": true}
         ]},
        {"title": "Pools", "type": "stat", "gridPos": {"x": 4, "y": 0, "w": 6, "h": 5}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none", "mappings": [{"type": "value", "options": {"0": {"text": "ONLINE", "color": "green"}, "1": {"text": "DEGRADED", "color": "orange"}, "2": {"text": "FAULTED", "color": "red"}, "3": {"text": "OFFLINE", "color": "red"}, "4": {"text": "UNAVAIL", "color": "red"}, "5": {"text": "REMOVED", "color": "red"}, "6": {"text": "SUSPENDED", "color": "red"}}}]}}, "id": 2,
         "targets": [
           {"refId": "A", "expr": "zfs_pool_health{instance=~\"$host\"}", "legendFormat": "{{pool}}", "instant": true}
         ]},
        {"title": "Pool space used", "type": "stat", "gridPos": {"x": 10, "y": 0, "w": 6, "h": 5}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "percentunit", "thresholds": {"mode": "absolute", "steps": [{"color": "green", "value": null}, {"color": "orange", "value": 0.8}, {"color": "red", "value": 0.9}]}}}, "id": 3,
         "targets": [
           {"refId": "A", "expr": "zfs_pool_allocated_bytes{instance=~\"$host\"} / zfs_pool_size_bytes{instance=~\"$host\"}", "legendFormat": "{{pool}}", "instant": true}
         ]},
        {"title": "Failed units", "type": "stat", "gridPos": {"x": 16, "y": 0, "w": 4, "h": 5}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none", "thresholds": {"mode": "absolute", "steps": [{"color": "green", "value": null}, {"color": "red", "value": 1}]}}}, "id": 4,
         "targets": [
           {"refId": "A", "expr": "sum(node_systemd_unit_state{instance=~\"$host\", state=\"failed\"})", "legendFormat": "units", "instant": true}
         ]},
        {"title": "Up for", "type": "stat", "gridPos": {"x": 20, "y": 0, "w": 4, "h": 5}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 5,
         "targets": [
           {"refId": "A", "expr": "time() - node_boot_time_seconds{instance=~\"$host\"}", "legendFormat": "{{instance}}", "instant": true}
         ]},
        {"title": "Age of the last good copy", "type": "timeseries", "gridPos": {"x": 0, "y": 5, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 6,
         "targets": [
           {"refId": "A", "expr": "time() - emily_backup_last_success_timestamp_seconds{instance=~\"$host\"}", "legendFormat": "{{repository}}"},
           {"refId": "B", "expr": "emily_promised_backup_seconds", "legendFormat": "{{repository}}, promised"}
         ]},
        {"title": "Age of the newest snapshot", "type": "timeseries", "gridPos": {"x": 12, "y": 5, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 7,
         "targets": [
           {"refId": "A", "expr": "time() - emily_snapshot_newest_timestamp_seconds{instance=~\"$host\"}", "legendFormat": "{{dataset}}"}
         ]},
        {"title": "Memory", "type": "timeseries", "gridPos": {"x": 0, "y": 12, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "bytes"}}, "id": 8,
         "targets": [
           {"refId": "A", "expr": "node_memory_MemTotal_bytes{instance=~\"$host\"} - node_memory_MemAvailable_bytes{instance=~\"$host\"}", "legendFormat": "in use"},
           {"refId": "B", "expr": "node_zfs_arc_size{instance=~\"$host\"}", "legendFormat": "of it ZFS cache"},
           {"refId": "C", "expr": "node_memory_MemTotal_bytes{instance=~\"$host\"}", "legendFormat": "installed"}
         ]},
        {"title": "Time spent waiting for memory, disks, processor", "type": "timeseries", "gridPos": {"x": 12, "y": 12, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "percentunit"}}, "id": 9,
         "targets": [
           {"refId": "A", "expr": "rate(node_pressure_memory_waiting_seconds_total{instance=~\"$host\"}[5m])", "legendFormat": "memory"},
           {"refId": "B", "expr": "rate(node_pressure_io_waiting_seconds_total{instance=~\"$host\"}[5m])", "legendFormat": "disks"},
           {"refId": "C", "expr": "rate(node_pressure_cpu_waiting_seconds_total{instance=~\"$host\"}[5m])", "legendFormat": "processor"}
         ]},
        {"title": "Network", "type": "timeseries", "gridPos": {"x": 0, "y": 19, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "Bps"}}, "id": 10,
         "targets": [
           {"refId": "A", "expr": "rate(node_network_receive_bytes_total{instance=~\"$host\", device!=\"lo\"}[5m])", "legendFormat": "{{device}} in"},
           {"refId": "B", "expr": "-rate(node_network_transmit_bytes_total{instance=~\"$host\", device!=\"lo\"}[5m])", "legendFormat": "{{device}} out"}
         ]},
        {"title": "Disks", "type": "timeseries", "gridPos": {"x": 12, "y": 19, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "Bps"}}, "id": 11,
         "targets": [
           {"refId": "A", "expr": "rate(node_disk_read_bytes_total{instance=~\"$host\", device=~\"sd.*|nvme.*\"}[5m])", "legendFormat": "{{device}} read"},
           {"refId": "B", "expr": "-rate(node_disk_written_bytes_total{instance=~\"$host\", device=~\"sd.*|nvme.*\"}[5m])", "legendFormat": "{{device}} written"}
         ]},
        {"title": "Disk temperature", "type": "timeseries", "gridPos": {"x": 0, "y": 26, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "celsius"}}, "id": 12,
         "targets": [
           {"refId": "A", "expr": "smartctl_device_temperature{instance=~\"$host\", temperature_type=\"current\"}", "legendFormat": "{{device}}"}
         ]},
        {"title": "Tunnels: time since the last handshake", "type": "timeseries", "gridPos": {"x": 12, "y": 26, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 13,
         "targets": [
           {"refId": "A", "expr": "wireguard_latest_handshake_delay_seconds{instance=~\"$host\"}", "legendFormat": "{{interface}} {{public_key}}"}
         ]},
        {"title": "Repositories: since the part that waits longest was read back", "type": "timeseries", "gridPos": {"x": 0, "y": 33, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 14,
         "targets": [
           {"refId": "A", "expr": "time() - emily_verify_oldest_timestamp_seconds{instance=~\"$host\"}", "legendFormat": "{{repository}}"},
           {"refId": "B", "expr": "emily_promised_verified_seconds", "legendFormat": "{{repository}}, promised"}
         ]},
        {"title": "Replicas: age of the newest snapshot there", "type": "timeseries", "gridPos": {"x": 12, "y": 33, "w": 12, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 15,
         "targets": [
           {"refId": "A", "expr": "time() - emily_replica_newest_snapshot_timestamp_seconds{instance=~\"$host\"}", "legendFormat": "{{target}} {{dataset}}"},
           {"refId": "B", "expr": "max by (target) (emily_promised_replica_seconds)", "legendFormat": "{{target}}, promised"}
         ]},
        {"title": "Repositories: bytes", "type": "timeseries", "gridPos": {"x": 0, "y": 40, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "bytes"}}, "id": 16,
         "targets": [
           {"refId": "A", "expr": "emily_repository_bytes{instance=~\"$host\"}", "legendFormat": "{{repository}}"}
         ]},
        {"title": "Restoring, as measured in drills: seconds for a gigabyte", "type": "timeseries", "gridPos": {"x": 8, "y": 40, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 17,
         "targets": [
           {"refId": "A", "expr": "emily_restore_seconds_per_gigabyte{instance=~\"$host\"}", "legendFormat": "{{repository}}"}
         ]},
        {"title": "Snapshots", "type": "timeseries", "gridPos": {"x": 16, "y": 40, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none"}}, "id": 18,
         "targets": [
           {"refId": "A", "expr": "emily_snapshot_count{instance=~\"$host\"}", "legendFormat": "{{dataset}}"}
         ]},
        {"title": "Runtime: the five levels", "type": "timeseries", "gridPos": {"x": 0, "y": 47, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none", "min": 0, "max": 1}}, "id": 19,
         "targets": [
           {"refId": "A", "expr": "allostatic_neurotransmitter_levels{instance=~\"$host\"}", "legendFormat": "{{neurotransmitter}}"}
         ]},
        {"title": "Runtime: hypotheses that differ, of the last draw", "type": "timeseries", "gridPos": {"x": 8, "y": 47, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "none", "min": 0, "thresholds": {"mode": "absolute", "steps": [{"color": "red", "value": null}, {"color": "green", "value": 0.3}]}}}, "id": 20,
         "targets": [
           {"refId": "A", "expr": "gflownet_hypothesis_diversity{instance=~\"$host\"}", "legendFormat": "share"},
           {"refId": "B", "expr": "increase(gflownet_mode_collapse_total{instance=~\"$host\"}[1h])", "legendFormat": "collapses in an hour"}
         ]},
        {"title": "Runtime: time to choose", "type": "timeseries", "gridPos": {"x": 16, "y": 47, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 21,
         "targets": [
           {"refId": "A", "expr": "histogram_quantile(0.95, sum by (le) (rate(active_inference_latency_seconds_bucket{instance=~\"$host\"}[5m])))", "legendFormat": "95 of 100"},
           {"refId": "B", "expr": "histogram_quantile(0.5, sum by (le) (rate(active_inference_latency_seconds_bucket{instance=~\"$host\"}[5m])))", "legendFormat": "half of them"}
         ]},
        {"title": "Runtime: memory", "type": "timeseries", "gridPos": {"x": 0, "y": 54, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "bytes"}}, "id": 22,
         "targets": [
           {"refId": "A", "expr": "emily_rss_bytes{instance=~\"$host\"}", "legendFormat": "resident"}
         ]},
        {"title": "Runtime: requests", "type": "timeseries", "gridPos": {"x": 8, "y": 54, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "s"}}, "id": 23,
         "targets": [
           {"refId": "A", "expr": "histogram_quantile(0.95, sum by (le) (rate(emily_http_request_seconds_bucket{instance=~\"$host\"}[5m])))", "legendFormat": "95 of 100 take up to"}
         ]},
        {"title": "Runtime: left for language models", "type": "timeseries", "gridPos": {"x": 16, "y": 54, "w": 8, "h": 7}, "datasource": {"type": "prometheus", "uid": "emily-prometheus"}, "fieldConfig": {"defaults": {"unit": "currencyUSD"}}, "id": 24,
         "targets": [
           {"refId": "A", "expr": "emily_llm_budget_remaining_dollars{instance=~\"$host\"}", "legendFormat": "this {{window}}"}
         ]}
      ]
    }
  '';

  # When each pool last wrote. One whose disks are gone may say ONLINE for minutes while every write
  # hangs; an idle one writes every 5 s. The times of txgs are of a clock that only the head of a list
  # tells: it ends in the present.
  systemd.services.emily-pool-liveness = {
    description = "Record when each pool last wrote";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Restart = "always";
      RestartSec = "15s";
      WorkingDirectory = "/var/lib/emily/metrics";
      ReadWritePaths = [ "/var/lib/emily/metrics" ];
      ProtectSystem = "strict";
      ProtectHome = true;
      PrivateNetwork = true;
      PrivateTmp = true;
      NoNewPrivileges = true;
      CapabilityBoundingSet = "";
      SystemCallFilter = [ "@system-service" ];
    };
    path = [ pkgs.gawk ];
    script = ''
      shopt -s nullglob
      while :; do
        printf -v clock '%(%s)T' -1
        awk -v clock="$clock" '
          FILENAME ~ /\/fm$/ { if (FNR == 1) now = $NF; next }
          $3 == "C" { # committed; born at $2, then open, quiescing, waiting and syncing
            depth = split(FILENAME, folder, "/")
            pool = folder[depth - 1]
            end = $2 + $9 + $10 + $11 + $12
            if (end > last[pool]) last[pool] = end
          }
          END {
            for (pool in last) {
              printf "emily_pool_last_commit_timestamp_seconds{pool=\"%s\"} %.0f\n",
                pool, clock - (now - last[pool]) / 1e9
            }
          }
        ' /proc/spl/kstat/zfs/fm /proc/spl/kstat/zfs/*/txgs >pools.prom.new
        mv pools.prom.new pools.prom
        sleep 15
      done
    '';
  };

  # Its address is there only once the interface is up: try until then.
  systemd.services."grafana".wants = [ "network-online.target" ];
  systemd.services."grafana".after = [ "network-online.target" ];
  systemd.services."grafana".startLimitIntervalSec = 0;
  systemd.services."grafana".serviceConfig.RestartSec = "5s";
}
