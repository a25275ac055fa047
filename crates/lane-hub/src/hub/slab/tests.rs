use super::*;

const STACK_BYTES: usize = 64 * 1024;

/// Pages of the slab that are in memory.
fn resident(slab: &Slab) -> usize {
    let mut pages = vec![0u8; slab.bytes / slab.page_bytes];
    // SAFETY: the slab's own range, and a byte for each page of it.
    let failed =
        unsafe { libc::mincore(slab.start as *mut c_void, slab.bytes, pages.as_mut_ptr()) };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    pages.iter().filter(|page| *page & 1 == 1).count()
}

/// Writes to the page that a task touches first, and to one that few do.
fn touch(stack: &Carved) {
    for from_guard in [stack.slab.page_bytes, stack.slab.stride_bytes - 1] {
        // SAFETY: both bytes are the stack's own.
        unsafe { ((stack.limit + from_guard) as *mut u8).write_volatile(1) };
    }
}

#[test]
fn memory_is_returned_64_stacks_at_a_time_and_guards_stay() {
    for guards in [Guards::best().unwrap(), Guards::Mapped] {
        let slab = Slab::guarded_by(guards, STACK_BYTES, 100).unwrap();
        let stacks: Vec<_> = (0..100).map(|_| slab.carve().unwrap()).collect();
        assert_eq!(resident(&slab), 0);
        stacks.iter().for_each(touch);
        assert_eq!(resident(&slab), 200);
        // Every second one first, so that there are few neighbours among them.
        let (second, first): (Vec<_>, Vec<_>) =
            stacks.into_iter().enumerate().partition(|(index, _)| index % 2 == 1);
        drop(second);
        drop(first);
        assert_eq!(resident(&slab), 2 * (100 - 64));
        // All of them can be used again, and none was guarded twice or lost its guard.
        let again: Vec<_> = (0..100).map(|_| slab.carve().unwrap()).collect();
        assert!(slab.carve().is_err());
        assert!(again.iter().all(|stack| is_guarded(stack.guard())));
    }
}

/// Asks the kernel to read the byte, which tells of a guard without touching it.
fn is_guarded(address: usize) -> bool {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    // SAFETY: `write(2)` reads the byte or fails; whose it is does not matter.
    let written = unsafe {
        libc::write(std::os::fd::AsRawFd::as_raw_fd(&writer), address as *const c_void, 1)
    };
    drop(reader);
    written == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

#[test]
fn a_kernel_without_marks_takes_two_mappings_a_stack_and_tells_of_the_limit() {
    let slab = Slab::guarded_by(Guards::Mapped, STACK_BYTES, 100).unwrap();
    let _stacks: Vec<_> = (0..100).map(|_| slab.carve().unwrap()).collect();
    let inside = slab.start..slab.start + slab.bytes;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let starts =
        maps.lines().filter_map(|line| usize::from_str_radix(line.split_once('-')?.0, 16).ok());
    assert!(starts.filter(|start| inside.contains(start)).count() >= 199);
    // A page that is not there fails as one for which there is no mapping.
    let told = Guards::Mapped.set(0, slab.page_bytes).unwrap_err().to_string();
    assert!(told.contains("vm.max_map_count"), "{told}");
}

#[test]
fn a_slab_outlives_its_hub_while_a_stack_is_left() {
    let slab = Slab::new(STACK_BYTES, 2).unwrap();
    let stack = slab.carve().unwrap();
    drop(slab);
    touch(&stack);
}
