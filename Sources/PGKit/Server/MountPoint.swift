/// Places where another file system begins.
enum MountPoint {
  /// Whether one stands at `path`, also one of the same file system seen twice.
  static func isOne(_ path: String, _ status: FileStatus) -> Bool {
    if let parent = try? FileStatus(of: AbsolutePath.parent(of: path)) {
      if parent.device != status.device || parent.inode == status.inode { return true }
    }
    guard let table = try? OpenFile.text(of: "/proc/self/mountinfo"),
      let resolved = AbsolutePath.resolved(path)
    else { return false }
    return contains(resolved, in: table)
  }

  /// Looks for a path in the fifth column, where blanks are written as `\040`.
  static func contains(_ path: String, in table: String) -> Bool {
    let wanted = path.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case " ": text += "\\040"
      case "\t": text += "\\011"
      case "\n": text += "\\012"
      case "\\": text += "\\134"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return table.split(separator: "\n").contains { line in
      let columns = line.split(separator: " ")
      return columns.count > 4 && columns[4] == wanted
    }
  }
}
