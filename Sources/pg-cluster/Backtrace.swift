internal import Glibc
internal import PGCommandLine
internal import PGKit

/// What a debugger tells of a server process that has crashed and left its memory in a file.
enum Backtrace {
  /// How long a debugger may take.
  private static let patience = Duration.seconds(30)
  /// No more of what it says is shown.
  private static let mostBytes = 65_536

  /// The backtraces of all that are found in a data directory; none where there is no debugger.
  static func all(in data: DataDirectory, of server: String) -> [String] {
    cores(in: data.path).flatMap { core in
      guard let (debugger, arguments) = debugger(server, core) else {
        return ["\(core) is left of a crash; gdb or lldb would tell where"]
      }
      return ["\(core):"] + output(of: debugger, arguments).map { "  \($0)" }
    }
  }

  /// The system's usual names: `core`, or with a number.
  private static func cores(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "core" || name.hasPrefix("core.") { found.append("\(folder)/\(name)") }
    }
    return found.sorted()
  }

  private static func debugger(_ server: String, _ core: String) -> (String, [String])? {
    if let gdb = try? CommandPath.find("gdb", for: ClusterCommand.program) {
      return (gdb, ["-nx", "-batch", "-ex", "bt", server, core])
    }
    if let lldb = try? CommandPath.find("lldb", for: ClusterCommand.program) {
      return (lldb, ["--no-lldbinit", "--batch", "-o", "bt", "-c", core, server])
    }
    return nil
  }

  private static func output(of program: String, _ arguments: [String]) -> [String] {
    guard let file = tmpfile() else { return [] }
    defer { fclose(file) }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    var launch = ProcessLaunch(program, arguments, environment: ["PATH": path, "LC_ALL": "C"])
    launch.directory = "/"
    launch.output = .descriptor(fileno(file))
    guard let child = try? launch.start() else { return [] }
    if child.wait(until: .after(patience)) == nil {
      try? child.send(SIGKILL)
      _ = child.wait()
    }
    var bytes = [UInt8](repeating: 0, count: mostBytes)
    let count = pread(fileno(file), &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map { line in
      String(line.map { $0.isASCII && ($0.asciiValue ?? 0) >= 32 ? $0 : "?" })
    }
  }
}
