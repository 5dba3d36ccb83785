"""Who takes part: functions that prepare work in a contender's process (`benchmarks.contender`)."""
