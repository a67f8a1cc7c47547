import Foundation
import Glibc

/// The three streams of a program under test: the program's side, and the test's.
final class StandardStreams {
  private let childInput: CInt?
  private let childOutput: CInt?
  private let childErrors: CInt
  /// The test's end of an open stdin.
  private(set) var inputWriter: CInt?
  private let captured: URL?
  private let errors: URL
  private var slowReader: SlowReader?
  /// The test's end of a stdout that nobody reads.
  private var unread: CInt?

  init(_ input: BuiltProgram.Input, _ output: BuiltProgram.Output) throws {
    switch input {
    case .closed: childInput = nil
    case .bytes(let bytes):
      let file = Self.temporaryFile()
      try Data(bytes).write(to: file)
      childInput = open(file.path, O_RDONLY | O_CLOEXEC)
      unlink(file.path)
    case .open:
      let (reader, writer) = Self.pipe()
      childInput = reader
      inputWriter = writer
    }
    errors = Self.temporaryFile()
    childErrors = Self.create(errors)
    var captured: URL?
    switch output {
    case .closed: childOutput = nil
    case .full: childOutput = open("/dev/full", O_WRONLY | O_CLOEXEC)
    case .captured:
      let file = Self.temporaryFile()
      captured = file
      childOutput = Self.create(file)
    case .brokenPipe:
      let (reader, writer) = Self.pipe()
      close(reader)
      childOutput = writer
    case .slowPipe:
      let (reader, writer) = Self.pipe()
      _ = fcntl(writer, F_SETFL, O_NONBLOCK)
      slowReader = SlowReader(descriptor: reader)
      childOutput = writer
    case .unreadPipe:
      let (reader, writer) = Self.pipe()
      unread = reader
      childOutput = writer
    }
    self.captured = captured
  }

  /// What posix_spawn does with the descriptors.
  func actions() -> posix_spawn_file_actions_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    for (source, target) in [(childInput, 0), (childOutput, 1), (childErrors, 2)] {
      if let source {
        posix_spawn_file_actions_adddup2(&actions, source, CInt(target))
      } else {
        posix_spawn_file_actions_addclose(&actions, CInt(target))
      }
    }
    return actions
  }

  /// Closes what the program has now.
  func closeChildSide() {
    for descriptor in [childInput, childOutput, childErrors].compactMap(\.self) {
      close(descriptor)
    }
  }

  /// Closes the test's end of stdin, which is the program's end of input.
  func closeInput() {
    if let inputWriter { close(inputWriter) }
    inputWriter = nil
  }

  /// What has been written to stdout so far.
  func outputText() -> String {
    slowReader?.text() ?? captured.map(Self.text(of:)) ?? ""
  }

  /// What has been written to stderr so far.
  func errorText() -> String { Self.text(of: errors) }

  deinit {
    closeInput()
    if let unread { close(unread) }
    for file in [captured, errors].compactMap(\.self) { unlink(file.path) }
  }

  private static func text(of file: URL) -> String {
    String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
  }

  private static func temporaryFile() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "command-tests-\(UUID().uuidString)")
  }

  private static func create(_ file: URL) -> CInt {
    open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
  }

  private static func pipe() -> (reader: CInt, writer: CInt) {
    var ends: [CInt] = [-1, -1]
    _ = Glibc.pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

/// Reads a pipe on a thread of its own, with pauses, so that the pipe is full most of the time.
private final class SlowReader: @unchecked Sendable {
  private let end = DispatchSemaphore(value: 0)
  private var bytes: [UInt8] = []

  init(descriptor: CInt) {
    Thread.detachNewThread { [self] in
      var chunk = [UInt8](repeating: 0, count: 8 * 1024)
      while true {
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { break }
        bytes += chunk.prefix(count)
        usleep(2_000)
      }
      close(descriptor)
      end.signal()
    }
  }

  /// Everything, once the program has closed its end.
  func text() -> String {
    end.wait()
    end.signal()
    return String(decoding: bytes, as: UTF8.self)
  }
}
