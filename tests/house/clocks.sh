#!/usr/bin/env bash
# clocks.sh ROOT: who takes the time from where. A clock comes in from outside, as a `const Clock&`,
# so that tests and the simulation bring their own; the system's is taken by a tool's main and by
# core/backend/this_process.cpp alone. Prints each breach; exit code 1 if there is one.
#
# Plugins, samples and what `fr new` makes see the SDK alone, which has no Clock.
set -euo pipefail
shopt -s inherit_errexit
cd "$1"

# What a main is: of a program, of a command of fr, and what the daemons of a cluster begin with.
takes_the_systems() {
  case "$1" in
    core/clock/* | core/backend/this_process.cpp) ;;
    tools/*/main.cpp | tools/*_command.cpp | tools/fr/cluster/daemon.cpp) ;;
    *) return 1 ;;
  esac
}

# Where a Clock does not fit.
reads_another() {
  case "$1" in
    core/clock/*) ;;
    core/task/fiber_thread.cpp) ;;           # Boost.Fiber's interface has these types
    core/shared_objects/judged_file.cpp) ;;  # compares with times that the kernel gave to files
    sdk/src/future.cpp) ;;                   # a thread that waits outside of the runtime
    sdk/src/cluster_bootstrap.cpp) ;;        # the time of a deployment, by a deployer outside of it
    tools/kit/* | tools/fr/plugin/*) ;;      # the test kit, whose limits are of real processes
    tools/fr/planning_child.cpp) ;;          # that of a child whose main never returns
    *) return 1 ;;
  esac
}

breaches=0
while IFS=: read -r file line text; do
  case "$text" in
    *SystemClock::instance*)
      takes_the_systems "$file" && continue
      say="takes the system's clock: let whoever makes it hand in a const Clock&"
      ;;
    *)
      reads_another "$file" && continue
      say="reads a clock that nobody can replace: let whoever makes it hand in a const Clock&"
      ;;
  esac
  printf '%s:%s: %s\n' "$file" "$line" "$say"
  breaches=$((breaches + 1))
done < <(grep -rnE --include='*.h' --include='*.cpp' --include='*.c' --exclude-dir=templates \
  '\<SystemClock::instance\>|\<(steady|system|high_resolution)_clock\>|\<(clock_gettime|gettimeofday)\>' \
  core sdk tools)

[ "$breaches" = 0 ]
