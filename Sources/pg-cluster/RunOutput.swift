internal import Glibc
internal import PGCommandLine
internal import PGKit

/// What a run says on stdout and stderr, kept in the order in which it came until it is shown.
///
/// Both are pipes: files would keep no order between them.
final class RunOutput {
  /// One end of a pipe, and which of the two it is.
  private struct Source {
    let descriptor: CInt
    let isError: Bool
  }

  /// Bytes of one stream that lie behind each other in the file.
  private struct Segment {
    let isError: Bool
    var count: Int
  }

  private var sources: [Source] = []
  private var segments: [Segment] = []
  /// Without a name, so that nobody has to remove it.
  private let file: CInt
  private var buffer = [UInt8](repeating: 0, count: 65_536)

  init() throws(Failure) {
    let opened = tmpfile()
    file = opened.map { fcntl(fileno($0), F_DUPFD_CLOEXEC, 3) } ?? -1
    if let opened { fclose(opened) }
    if file < 0 { throw Self.failure }
  }

  deinit {
    for source in sources { close(source.descriptor) }
    if file >= 0 { close(file) }
  }

  /// Whether nothing more will be said.
  var isOver: Bool { sources.isEmpty }

  private static var failure: Failure {
    ClusterCommand.failure(
      .ownPartFailed, "could not keep a run's output: \(String(cString: strerror(errno)))")
  }

  /// Calls `body` with what is to be a run's stdout and stderr.
  func collect(_ body: (_ output: CInt, _ error: CInt) throws -> Void) throws {
    var ends: [CInt] = []
    defer { for end in ends { close(end) } }
    for isError in [false, true] {
      var pair: [CInt] = [-1, -1]
      guard pipe(&pair) == 0 else { throw Self.failure }
      for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
      sources.append(Source(descriptor: pair[0], isError: isError))
      ends.append(pair[1])
    }
    try body(ends[0], ends[1])
  }

  /// Waits until one of several says something, or for so many milliseconds, and takes it.
  static func take(from outputs: [RunOutput], patience: CInt) throws(Failure) {
    var entries = outputs.flatMap(\.sources).map {
      pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
    }
    poll(&entries, nfds_t(entries.count), patience)
    for output in outputs { try output.take() }
  }

  /// Takes what is there.
  func take() throws(Failure) {
    for source in sources {
      let count = read(source.descriptor, &buffer, buffer.count)
      if count > 0 { try append(count, isError: source.isError) }
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      if count <= 0 { end(source) }
    }
  }

  /// Takes all that is there after the run has ended, and listens no more: what it has left running says
  /// nothing here.
  func finish() throws(Failure) {
    for source in sources {
      while true {
        let count = read(source.descriptor, &buffer, buffer.count)
        if count <= 0 { break }
        try append(count, isError: source.isError)
      }
      end(source)
    }
  }

  private func end(_ source: Source) {
    close(source.descriptor)
    sources.removeAll { $0.descriptor == source.descriptor }
  }

  private func append(_ count: Int, isError: Bool) throws(Failure) {
    var done = 0
    while done < count {
      let written = buffer[done..<count].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if written < 0, errno != EINTR { throw Self.failure }
      done += max(written, 0)
    }
    if segments.last?.isError == isError {
      segments[segments.count - 1].count += count
    } else {
      segments.append(Segment(isError: isError, count: count))
    }
  }

  /// Writes everything to where it belongs, in the order in which it came.
  func show() throws {
    lseek(file, 0, SEEK_SET)
    for segment in segments {
      var rest = segment.count
      var last = UInt8(ascii: "\n")
      while rest > 0 {
        let count = read(file, &buffer, min(buffer.count, rest))
        if count <= 0 { break }
        try buffer[..<count].withUnsafeBytes { bytes in
          if segment.isError {
            StandardError.pass(on: bytes)
          } else {
            try StandardOutput.shared.write(bytes)
          }
        }
        last = buffer[count - 1]
        rest -= count
      }
      // What is said next begins a line.
      if !segment.isError { try StandardOutput.shared.flush() }
      if segment.isError, last != UInt8(ascii: "\n") { StandardError.print("") }
    }
  }

  /// The last bytes of all that was said.
  func tail(_ most: Int) -> String {
    let end = lseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: min(most, Int(max(end, 0))))
    let count = pread(file, &bytes, bytes.count, max(0, end - off_t(bytes.count)))
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}
