#!/usr/bin/env bash
# Turns the action's inputs (environment SOAK_…; empty ones are left out) into one `soak check`.
set -euo pipefail
arguments=(--out soak-check/runs --junit soak-check/soak.xml --markdown soak-check/soak.md --archive soak-check/run.zip)
for name in CONFIG MODEL URL PID MAX_MINUTES MAX_RSS MAX_PER_CONNECTION MAX_CER BASELINE; do
    value="SOAK_$name"
    if [ -n "${!value:-}" ]; then
        option=${name,,}
        arguments+=("--${option//_/-}" "${!value}")
    fi
done
if [ "${SOAK_ALLOW_INCONCLUSIVE:-false}" = true ]; then
    arguments+=(--allow-inconclusive)
fi
while IFS= read -r setting; do
    if [ -n "$setting" ]; then
        arguments+=(--set "$setting")
    fi
done <<< "${SOAK_SETTINGS:-}"

status=0
soak check "${arguments[@]}" || status=$?
echo "exit-code=$status" >> "${GITHUB_OUTPUT:-/dev/null}"
if [ "$status" -eq 0 ] && [ -n "${SOAK_SAVE_BASELINE:-}" ]; then
    soak baseline save soak-check/runs --output "$SOAK_SAVE_BASELINE"
fi
rm -rf soak-check/runs # what is kept of them is in run.zip
exit "$status"
