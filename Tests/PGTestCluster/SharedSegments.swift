import Foundation

/// The shared memory outside the data directory that a server has now: what a kill could leave behind.
public struct SharedSegments: Sendable {
  /// Names in /dev/shm.
  public private(set) var names: Set<String> = []
  /// The numbers of its System V segments.
  public private(set) var numbers: Set<String> = []

  /// None.
  public init() {}

  /// That of the server processes that work in a directory or below.
  public init(in directory: String) throws {
    for process in try Self.processes(in: directory) { take(process) }
  }

  /// The processes that work in a directory or below: servers', or all.
  public static func processes(
    in directory: String, onlyServers: Bool = true
  ) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }
      .filter { pid in
        let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
        let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        return (!onlyServers || name == "postgres\n")
          && place.map { ($0 + "/").hasPrefix(directory + "/") } == true
      }
  }

  /// Adds what another one has.
  public mutating func formUnion(_ other: SharedSegments) {
    names.formUnion(other.names)
    numbers.formUnion(other.numbers)
  }

  /// Each line of what a process has mapped ends with the segment's number and its name.
  private mutating func take(_ process: Int32) {
    // Such a file does not say how long it is, so that it has to be read to its end.
    let file = FileHandle(forReadingAtPath: "/proc/\(process)/maps")
    let maps = String(decoding: (try? file?.readToEnd()) ?? Data(), as: UTF8.self)
    for line in maps.split(separator: "\n") {
      let columns = line.split(separator: " ", omittingEmptySubsequences: true)
      guard columns.count > 5 else { continue }
      let name = columns[5]
      if name.hasPrefix("/dev/shm/PostgreSQL.") { names.insert(String(name.dropFirst(9))) }
      if name.hasPrefix("/SYSV") { numbers.insert(String(columns[4])) }
    }
  }

  /// What of it is still there, whoever uses it.
  public var remaining: [String] {
    let table = (try? String(contentsOfFile: "/proc/sysvipc/shm", encoding: .utf8)) ?? ""
    let there = table.split(separator: "\n").dropFirst().compactMap { line in
      let columns = line.split(separator: " ", omittingEmptySubsequences: true)
      return columns.count > 1 ? String(columns[1]) : nil
    }
    return names.filter { FileManager.default.fileExists(atPath: "/dev/shm/" + $0) }
      + numbers.intersection(there).map { "segment \($0)" }
  }
}
