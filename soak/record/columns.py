"""The columns of `samples.csv`, in order.

Counters are cumulative since the start of the load; latencies belong to the interval that ended with the
sample; an empty cell is a reading that failed or does not apply. `character_errors` of the
`transcripts_checked` divided by `reference_characters` is their character error rate; the difference of two
rows gives that of the time between them (see `soak.load.character_errors` for what is counted).
"""

TEXT_COLUMNS = ("phase",)

COLUMNS = (
    "t_s",
    "rss_bytes",
    "connections_completed",
    "open_connections",
    "phase",
    "block",
    "rss_anon_bytes",
    "rss_file_bytes",
    "rss_shmem_bytes",
    "swap_bytes",
    "pss_bytes",
    "uss_bytes",
    "threads",
    "fds",
    "sockets",
    "processes",
    "cpu_s",
    "connections_opened",
    "connections_failed",
    "audio_s",
    "first_partial_p50_ms",
    "first_partial_p95_ms",
    "first_partial_p99_ms",
    "final_p50_ms",
    "final_p95_ms",
    "final_p99_ms",
    "arrivals_delayed",
    "transcripts_changed",
    "transcripts_checked",
    "character_errors",
    "reference_characters",
    "server_open_connections",
    "server_sessions_alive",
    "server_decode_queue_tasks",
    "server_audio_s",
    "server_decode_s",
    "server_heap_in_use_bytes",
    "server_heap_free_bytes",
    "server_gc_objects",
    "server_injected_bytes",
    "server_injected_events",
    "harness_rss_bytes",
    "harness_cpu_s",
    "late_s",
)

JUDGED_COLUMNS = (
    "t_s",
    "rss_bytes",
    "connections_completed",
    "open_connections",
    "phase",
    "swap_bytes",
    "threads",
    "fds",
    "sockets",
    "connections_failed",
    "audio_s",
    "transcripts_changed",
    "transcripts_checked",
    "character_errors",
    "reference_characters",
    "server_sessions_alive",
)
"""What the judge reads, and the terminal tells: all that is needed of a file that is only judged."""
