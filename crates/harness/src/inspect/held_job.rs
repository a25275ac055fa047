//! A job whose end a lane's process waits for.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use job::Job;
use rustix::io::ioctl_fionread;
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};

/// A job in a pipe that is still open: a lane process reads all of it up to its end, and so begins
/// when this is dropped and not before.
#[derive(Debug)]
pub(crate) struct HeldJob(OwnedFd);

impl HeldJob {
    /// The job as a child's input, and what keeps the child from beginning.
    ///
    /// # Errors
    ///
    /// No descriptor, or no pipe that the job fits into (`fs.pipe-max-size`).
    pub fn of(job: &Job) -> io::Result<(Stdio, Self)> {
        let text = job.to_json();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        if fcntl_getpipe_size(&writer)? < text.len() {
            fcntl_setpipe_size(&writer, text.len())?;
        }
        let mut writer = File::from(writer);
        // The pipe is large enough: this does not wait for a reader.
        writer.write_all(text.as_bytes())?;
        Ok((reader.into(), HeldJob(writer.into())))
    }

    /// Whether the child has read all of it, and so has come as far as it can.
    pub fn is_read(&self) -> bool {
        ioctl_fionread(&self.0).is_ok_and(|left| left == 0)
    }
}

#[cfg(test)]
mod tests {
    use job::{Client, Corpus};

    use super::*;

    #[test]
    fn a_job_is_whole_however_long_it_is() {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        let mut job = Job::new("http://127.0.0.1:9", &corpus, 5, 2, Client::Raw);
        job.ids = (1..40_000).collect();
        let (_stdin, held) = HeldJob::of(&job).unwrap();
        assert!(!held.is_read());
        assert_eq!(ioctl_fionread(&held.0).unwrap(), job.to_json().len() as u64);
    }
}
