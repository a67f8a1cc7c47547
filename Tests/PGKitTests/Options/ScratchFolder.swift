import Foundation

/// A folder that is gone when its owner is.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "pgkit-options-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and answers its path.
  @discardableResult
  func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    let file = path + "/" + name
    let folder = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
    _ = FileManager.default.createFile(
      atPath: file, contents: Data(text.utf8), attributes: attributes)
    try FileManager.default.setAttributes(attributes, ofItemAtPath: file)
    return file
  }
}
