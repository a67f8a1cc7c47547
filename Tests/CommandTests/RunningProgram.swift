import Foundation
import Glibc

/// A program that has been started and is to be waited for.
final class RunningProgram {
  let process: pid_t
  private let streams: StandardStreams
  private var end: BuiltProgram.End?
  private var peakMemory = 0
  private var pageFaults = 0

  init(process: pid_t, streams: StandardStreams) {
    self.process = process
    self.streams = streams
  }

  /// Writes to the program's stdin, which was asked for with ``BuiltProgram/Input/open``.
  func send(_ text: String) {
    guard let writer = streams.inputWriter else { return }
    var text = text
    text.withUTF8 { _ = write(writer, $0.baseAddress, $0.count) }
  }

  func closeInput() { streams.closeInput() }

  func signal(_ number: CInt) { kill(process, number) }

  /// What stdout holds so far.
  var output: String { streams.outputText() }
  /// Its lines.
  var lines: [Substring] { output.split(separator: "\n") }
  /// What stderr holds so far.
  var errors: String { streams.errorText() }

  /// Waits until stdout holds `text`.
  func waitForOutput(_ text: String, timeout: Duration = .seconds(20)) throws {
    try wait(for: "\(text) on stdout", timeout) { streams.outputText().contains(text) }
  }

  /// Waits until stdout is as the condition wants it, and returns it.
  func waitForOutput(
    timeout: Duration = .seconds(20), _ condition: (String) -> Bool
  ) throws -> String {
    try wait(for: "stdout", timeout) { condition(streams.outputText()) }
    return streams.outputText()
  }

  /// Waits until stderr holds `text`, as often as it is to.
  func waitForErrors(
    _ text: String, times: Int = 1, timeout: Duration = .seconds(20)
  ) throws {
    let isThere = { [streams] in
      streams.errorText().split(separator: text, omittingEmptySubsequences: false).count > times
    }
    try wait(for: "\(text) on stderr", timeout) { isThere() || !isRunning }
    guard isThere() else {
      throw BuiltProgram.Fault(
        description: "it ended without \(text) on stderr; stderr: \(streams.errorText())")
    }
  }

  /// Whether it has not come to its end yet.
  var isRunning: Bool { !collect(WNOHANG) }

  /// Waits for the end, and kills a program that does not come to it.
  func wait(timeout: Duration = .seconds(60)) throws -> BuiltProgram.Outcome {
    do {
      try wait(for: "the end", timeout) {
        sampleMemory()
        return collect(WNOHANG)
      }
    } catch {
      kill(process, SIGKILL)
      _ = collect(0)
      throw error
    }
    return BuiltProgram.Outcome(
      end: end ?? .exit(-1), output: streams.outputText(), errors: streams.errorText(),
      peakMemory: peakMemory, pageFaults: pageFaults)
  }

  private func wait(
    for what: String, _ timeout: Duration, _ condition: () -> Bool
  ) throws {
    let deadline = ContinuousClock.now + timeout
    while !condition() {
      guard ContinuousClock.now < deadline else {
        throw BuiltProgram.Fault(
          description: "waited \(timeout) for \(what); stderr: \(streams.errorText())")
      }
      usleep(2_000)
    }
  }

  /// Remembers the most memory that it has had so far.
  ///
  /// What `wait4` tells of that includes the memory of the process that started it.
  private func sampleMemory() {
    guard end == nil,
      let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return }
    peakMemory = Int(line.filter { $0.isNumber }) ?? peakMemory
  }

  private func collect(_ options: CInt) -> Bool {
    guard end == nil else { return true }
    var status: CInt = 0
    var usage = rusage()
    guard wait4(process, &status, options, &usage) == process else { return false }
    pageFaults = usage.ru_minflt
    end = status & 0x7F == 0 ? .exit((status >> 8) & 0xFF) : .signal(status & 0x7F)
    return true
  }

  deinit {
    if end == nil {
      kill(process, SIGKILL)
      _ = collect(0)
    }
  }
}
