internal import PGErrorCodes

/// What may be raised.
///
/// Sources: the SQL standard reserves classes that begin with 0 to 4 and A to H; PostgreSQL manual,
/// "Reporting Errors and Messages" of PL/pgSQL.
struct RaiseRules {
  let catalogue: ErrorCatalogue

  /// What is wrong with raising this; `nil` if nothing is.
  func fault(_ subject: RaiseScanner.Subject) -> String? {
    switch subject {
    case .condition(let name): faultOfCondition(name)
    case .literal(let text): isCode(text) ? faultOfCode(text) : faultOfCondition(text)
    case .code(let text):
      isCode(text)
        ? faultOfCode(text) : "not five digits and capital letters; the server refuses it"
    }
  }

  private func isCode(_ text: String) -> Bool {
    text.utf8.count == 5 && text.utf8.allSatisfy(ASCIIText.isCode)
  }

  private func faultOfCode(_ text: String) -> String? {
    guard let code = SQLState(text) else { return nil }
    if code == .successfulCompletion { return "means success and cannot be raised" }
    if catalogue.isDefined(code) {
      guard code.isClassCode, SQLStateClass(of: code) != nil else { return nil }
      return "stands for a whole class, and can only be caught as one; raise a code of its own"
    }
    let first = text.utf8.first ?? 0
    let isReserved =
      (UInt8(ascii: "0")...UInt8(ascii: "4")).contains(first)
      || (UInt8(ascii: "A")...UInt8(ascii: "H")).contains(first)
    if isReserved {
      return "undefined, in a class that the SQL standard reserves (0 to 4 and A to H)"
        + meant(NearMiss.codes(for: code, in: catalogue).map(\.description))
    }
    if let title = SQLStateClass(of: code)?.title {
      return "undefined, in PostgreSQL's own class \(code.classCharacters) (\(title))"
        + meant(NearMiss.codes(for: code, in: catalogue).map(\.description))
    }
    return "not registered; add it to a file for --codes"
  }

  private func faultOfCondition(_ name: String) -> String? {
    if SQLState.named(name).contains(where: { $0.condition == name }) { return nil }
    if let own = catalogue.named(name).first, own.definition == nil {
      return "a name of your own, which the server does not know; raise ERRCODE '\(own)'"
    }
    return "no condition that PL/pgSQL knows, nor a code"
      + meant(NearMiss.names(for: name, in: catalogue).filter { $0 == $0.lowercased() })
  }

  private func meant(_ near: [String]) -> String {
    near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }
}
