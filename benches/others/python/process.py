"""What the kernel says of this process and of those that it started, and what it is to do with them."""

import resource
import signal


def usage():
    """What was charged so far to this process, and to those that it has started and awaited."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "user_us": sum(int(each.ru_utime * 1e6) for each in both),
        "system_us": sum(int(each.ru_stime * 1e6) for each in both),
        "voluntary_switches": sum(each.ru_nvcsw for each in both),
        "involuntary_switches": sum(each.ru_nivcsw for each in both),
        "minor_faults": sum(each.ru_minflt for each in both),
        "major_faults": sum(each.ru_majflt for each in both),
    }


def peaks(pid):
    """The most memory that a process had, and the most address space, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmHWM", "VmPeak"))


def end_with_parent():
    """Has this process killed when the one that started it ends, in whatever way. An executor's processes
    would wait for work for ever: each holds an end of the pipe that it would come through."""
    import ctypes  # Nobody else needs it.

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
