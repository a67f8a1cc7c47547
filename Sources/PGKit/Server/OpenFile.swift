internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A descriptor that is closed with its value.
struct OpenFile: ~Copyable, Sendable {
  /// The descriptor's number.
  let descriptor: Int32

  /// Takes over an open descriptor.
  init(owning descriptor: Int32) { self.descriptor = descriptor }

  /// Opens `path`; whatever the flags, the descriptor is closed on exec.
  init(opening path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) {
    var opened: Int32
    repeat { opened = open(path, flags | O_CLOEXEC, mode) } while opened < 0 && errno == EINTR
    if opened < 0 { throw Syscalls.lastError(of: "open") }
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Reads from here to the end, but no more than `limit` bytes.
  func read(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit, 65_536))
    while bytes.count < limit {
      let wanted = min(chunk.count, limit - bytes.count)
      let count = chunk.withUnsafeMutableBytes { Self.read(descriptor, $0, wanted) }
      if count < 0 { throw Syscalls.lastError(of: "read") }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return bytes
  }

  /// Reads what is there, at most a buffer full; `nil` if the system refuses.
  func readOnce() -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = chunk.withUnsafeMutableBytes { Self.read(descriptor, $0, $0.count) }
    return count < 0 ? nil : Array(chunk.prefix(count))
  }

  private static func read(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int
  ) -> Int {
    while true {
      #if canImport(Glibc)
        let result = Glibc.read(descriptor, buffer.baseAddress, count)
      #elseif canImport(Musl)
        let result = Musl.read(descriptor, buffer.baseAddress, count)
      #else
        let result = Darwin.read(descriptor, buffer.baseAddress, count)
      #endif
      if result >= 0 || errno != EINTR { return result }
    }
  }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { writeSome($0) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw Syscalls.lastError(of: "write") }
      rest = rest.dropFirst(count)
    }
  }

  private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}

extension OpenFile {
  /// The text of a file, at most `limit` bytes of it from `offset` on, malformed UTF-8 repaired.
  static func text(
    of path: String, from offset: Int64 = 0, limit: Int = 1 << 20
  ) throws(SystemError) -> String {
    let file = try OpenFile(opening: path, O_RDONLY)
    if offset > 0 { lseek(file.descriptor, off_t(offset), SEEK_SET) }
    return String(decoding: try file.read(limit: limit), as: UTF8.self)
  }

  /// Opens a path from the root of which no part may be a link.
  init(withoutLinks path: String, _ flags: Int32) throws(SystemError) {
    let opened = pgkit_open_without_links(path, flags, 0)
    if opened < 0 { throw Syscalls.lastError(of: "open") }
    self.init(owning: opened)
  }

  /// Makes a file that must not exist yet, or empties one that is no link, and fills it.
  static func create(
    _ path: String, mode: mode_t = 0o600, _ bytes: [UInt8]
  ) throws(SystemError) {
    let file = try OpenFile(
      opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
    if fchmod(file.descriptor, mode) != 0 { throw Syscalls.lastError(of: "fchmod") }
    try file.write(bytes)
  }

  /// Makes a new file that is its owner's before its first byte is written; what stood there is
  /// unlinked, whatever it was.
  ///
  /// The owner may be able to write to the directory, and must not choose what this process opens:
  /// no part of the path may be a link.
  static func create(
    _ path: String, mode: mode_t = 0o600, owner: ServerUser?, _ bytes: [UInt8]
  ) throws(SystemError) {
    let folder = try OpenFile(withoutLinks: AbsolutePath.parent(of: path), O_RDONLY | O_DIRECTORY)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    unlinkat(folder.descriptor, name, 0)
    let opened = openat(
      folder.descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    if opened < 0 { throw Syscalls.lastError(of: "open") }
    let file = OpenFile(owning: opened)
    if fchmod(file.descriptor, mode) != 0 { throw Syscalls.lastError(of: "fchmod") }
    if let owner, fchown(file.descriptor, owner.userID, owner.groupID) != 0 {
      throw Syscalls.lastError(of: "fchown")
    }
    try file.write(bytes)
  }
}
