//! dpkg's `status` and the files of `status.d`.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-dpkg", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("dpkg", bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u4\n\
         Maintainer: GNU Libc <x@lists.debian.org>\nDescription: GNU C Library\n Version: 9\n .\n\nPackage: b\nVersion: 1:2-3\n",
        "Package: a\r\nStatus: deinstall ok config-files\r\nVersion: 1\r\n\r\n",
        "Package: docker-ce\nVersion: 5:24.0.7\nMaintainer: Docker <support@docker.com>\nOrigin: Docker\nStatus: install ok half-installed\n",
        "rubbish\n\nVersion: 2\n\nPackage: c\nSource: (\nVersion: 3\n",
    ])
}
