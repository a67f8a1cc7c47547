import Testing

@testable import PGKit

@Suite("MountPoint")
struct MountPointTests {
  private let table = """
    22 1 254:0 / / rw - ext4 /dev/vda rw
    36 22 254:0 /data /srv/pg\\040data rw - ext4 /dev/vda rw
    37 22 0:5 / /srv/tab\\011 rw - tmpfs none rw
    """

  @Test("finds a directory of the same file system that is mounted once more")
  func found() {
    #expect(MountPoint.contains("/", in: table))
    #expect(MountPoint.contains("/srv/pg data", in: table))
    #expect(MountPoint.contains("/srv/tab\t", in: table))
  }

  @Test("takes no part of a path for the whole")
  func notFound() {
    #expect(!MountPoint.contains("/srv", in: table))
    #expect(!MountPoint.contains("/srv/pg", in: table))
    #expect(!MountPoint.contains("/data", in: table))
    #expect(!MountPoint.contains("/srv/pg data", in: ""))
  }
}
