"""Does the advised memory limit hold? One load in a memory cgroup, with the limit and with too little."""
