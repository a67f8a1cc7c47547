#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What programs have said about themselves, so that they need not be started to be asked again.
///
/// An answer counts as long as the file is the same in every respect that the system knows.
struct InstallationMemory: Sendable {
  private let path: String
  private var answers: [Answer]

  private struct Answer: Sendable {
    let key: String
    let text: String
  }

  /// So many answers are kept.
  private static let limit = 64

  /// Reads what is remembered; without a home nothing is.
  init() {
    path = (try? ClusterHome.find()).map { $0.path + "/installations" } ?? ""
    answers = Self.read(path)
  }

  private static func read(_ path: String) -> [Answer] {
    guard !path.isEmpty, let text = try? OpenFile.text(of: path) else { return [] }
    return text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard parts.count == 2 else { return nil }
      return Answer(key: String(parts[0]), text: String(parts[1]))
    }
  }

  /// What `program` has said to `question`; what `ask` says now, if nothing is remembered.
  ///
  /// `others` are files and directories on which the answer depends as well.
  static func answer(
    of program: String, to question: String, dependingOn others: [String] = [],
    _ ask: () throws(PGError) -> String
  ) throws(PGError) -> String {
    let key = ([question, program] + ([program] + others).map(FileIdentity.text)).joined(
      separator: " ")
    var memory = InstallationMemory()
    if let known = memory.answers.first(where: { $0.key == key }) { return known.text }
    let text = try ask()
    memory.remember(Answer(key: key, text: text))
    return text
  }

  private mutating func remember(_ answer: Answer) {
    let isPlain = !(answer.key + answer.text).utf8.contains {
      $0 == ASCII.tab || $0 == ASCII.newline
    }
    guard isPlain, !path.isEmpty else { return }
    answers = answers.suffix(Self.limit - 1) + [answer]
    let text = answers.map { "\($0.key)\t\($0.text)\n" }.joined()
    // A name of its own: several threads may remember at once.
    var new = Array("\(path).XXXXXX".utf8CString)
    let opened = mkstemp(&new)
    guard opened >= 0 else { return }
    _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
    let file = OpenFile(owning: opened)
    // Whatever hinders it: the next one asks again.
    if (try? file.write(Array(text.utf8))) == nil || rename(new, path) != 0 { unlink(new) }
  }
}
