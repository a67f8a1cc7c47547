import Foundation

/// A directory for the files of one test, removed with all of them when nobody holds it any more.
///
/// As a property of a suite it lives as long as a test does.
final class ScratchFolder {
  let path = NSTemporaryDirectory() + "scratch-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Writes a file, and the directories that it is in; returns its path.
  @discardableResult
  func write(_ text: String, to name: String = UUID().uuidString) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: URL(filePath: file).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }

  /// Makes a symbolic link; returns its path.
  @discardableResult
  func link(_ name: String, to destination: String) throws -> String {
    try FileManager.default.createSymbolicLink(
      atPath: path + "/" + name, withDestinationPath: destination)
    return path + "/" + name
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
