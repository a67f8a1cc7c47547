#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the system tells about a process by its number.
///
/// What it hides from this user is `nil`.
struct ProcessFacts: Sendable {
  /// The name that the system keeps for it, at most 15 characters.
  let name: String?
  /// The base name of its program.
  let executable: String?
  /// Its working directory.
  let directory: FileStatus?
  /// When it started, in seconds since 1970, as exact as the system's clock was steady since.
  let startTime: Int64?

  /// Asks about `pid`; `nil` if there is no such process, or it has ended and only its parent has
  /// not noticed.
  init?(_ pid: Int32) {
    guard kill(pid, 0) == 0 || errno == EPERM else { return nil }
    guard let stat = try? OpenFile.text(of: "/proc/\(pid)/stat"),
      let parsed = Self.parse(stat: stat)
    else {
      (name, executable, directory, startTime) = (nil, nil, nil, nil)
      return
    }
    if parsed.state == "Z" || parsed.state == "X" { return nil }
    name = parsed.name
    executable = SymbolicLink.target("/proc/\(pid)/exe").map(Self.programName)
    directory = try? FileStatus(of: "/proc/\(pid)/cwd")
    startTime = Self.bootTime.map { $0 + parsed.startTicks / Self.ticksPerSecond }
  }

  /// Name, state and start (fields 2, 3 and 22) of `/proc/PID/stat`; the name may contain blanks
  /// and parentheses.
  static func parse(stat: String) -> (name: String, state: Substring, startTicks: Int64)? {
    guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close
    else { return nil }
    let fields = stat[stat.index(after: close)...].split(separator: " ")
    guard fields.count > 19, let ticks = Int64(fields[19]), ticks >= 0 else { return nil }
    return (String(stat[stat.index(after: open)..<close]), fields[0], ticks)
  }

  private static var ticksPerSecond: Int64 { max(1, Int64(sysconf(Int32(_SC_CLK_TCK)))) }

  /// When the machine was started, by today's clock.
  private static var bootTime: Int64? {
    guard let text = try? OpenFile.text(of: "/proc/stat") else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Int64($0.dropFirst(6)) }
  }

  /// The base name, also of a program that was replaced while it ran, as an upgrade does.
  private static func programName(_ target: String) -> String {
    let name = target.split(separator: "/").last.map(String.init) ?? target
    return name.hasSuffix(" (deleted)") ? String(name.dropLast(10)) : name
  }
}
