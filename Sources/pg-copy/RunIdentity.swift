internal import PGKit

/// The name of a run, which receivers keep on record and which prepared transactions carry.
struct RunIdentity: Equatable {
  /// The job's name; `copy` for a run without one.
  let job: String
  /// A number of its own, as 16 hexadecimal digits.
  let run: String

  init(job: String?) {
    self.job = job ?? "copy"
    let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    run = String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// An identity that was read.
  init(job: String, run: String) { (self.job, self.run) = (job, run) }

  /// Whether a text can be the name of a job: so that it can stand in a transaction's name, a log and a
  /// shell as it is.
  static func isName(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
            || "._-".unicodeScalars.contains($0))
      }
  }
}
