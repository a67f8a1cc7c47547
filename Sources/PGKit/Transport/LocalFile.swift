#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file of this machine that is read or written from its beginning to its end.
final class LocalFile {
  let path: String
  private var descriptor: Int32

  /// Opens a file for reading.
  init(reading path: String) throws(SystemError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw Syscalls.lastError(of: "open") }
  }

  /// Makes a file that must not be there yet; what the process's mask forbids is forbidden.
  init(creating path: String) throws(SystemError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw Syscalls.lastError(of: "open") }
  }

  /// Whether a file can take the name: nothing has it, or a file, perhaps by a link.
  ///
  /// A device or a pipe would be gone.
  static func isReplaceable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  deinit { closeQuietly() }

  /// Reads what one call gives; empty at the end.
  func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
    var error: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var result = 0
      repeat {
        result = readSome(descriptor, buffer.baseAddress, limit)
      } while result < 0 && errno == EINTR
      if result < 0 { error = Syscalls.lastError(of: "read") }
      count = max(result, 0)
    }
    if let error { throw error }
    return bytes
  }

  /// Writes all of it.
  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = writeSome(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw Syscalls.lastError(of: "write")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Makes sure that what was written is on the disk, closes the file, and gives it the name `target`.
  func finish(as target: String) throws(SystemError) {
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
      throw Syscalls.lastError(of: "fsync")
    }
    let result = close(descriptor)
    descriptor = -1
    guard result == 0 else { throw Syscalls.lastError(of: "close") }
    guard rename(path, target) == 0 else { throw Syscalls.lastError(of: "rename") }
  }

  /// Closes the file and takes it away.
  func remove() {
    closeQuietly()
    unlink(path)
  }

  private func closeQuietly() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}

// Under names of their own, because the methods have those of the C library.
private func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int
{
  read(descriptor, buffer, count)
}

private func writeSome(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, buffer, count)
}
