internal import PGCommandLine
internal import PGErrorCodes

/// What is written beside each code of a log, made when the code is first seen, and how often each
/// came.
final class CodeLabels {
  /// What is written beside one code.
  final class Label {
    let code: SQLState
    /// Behind a line of stderr; empty for what needs no name.
    let inText: [UInt8]
    /// Behind a record of csvlog.
    let inCSV: [UInt8]
    /// Behind `state_code` of jsonlog.
    let inJSON: [UInt8]
    /// Whether `--only` lets it through.
    let isWanted: Bool
    /// Whether its class is known, and whether it is defined itself.
    let isKnown: Bool
    let isDefined: Bool
    fileprivate(set) var count = 0

    fileprivate init(_ code: SQLState, in catalogue: ErrorCatalogue, only: String?) {
      let definition = catalogue.definition(of: code)
      let condition = definition.map { $0.condition ?? $0.name }
      let characters = code.classCharacters
      // A title may be a file's.
      let title = catalogue.title(ofClass: characters).map(Diagnostic.escapingControls)
      let names = [condition, title.map { "class \(characters) \($0)" }].compactMap { $0 }
      let isSuccess = definition?.severity == .success
      let text = names.isEmpty || isSuccess ? "" : " [\(names.joined(separator: ", "))]"
      let csv = [condition, title].reduce("") { $0 + "," + ($1.map { CSVText.quoted($0) } ?? "") }
      let conditionValue = condition.map(JSONText.quoted) ?? "null"
      let titleValue = title.map(JSONText.quoted) ?? "null"
      self.code = code
      inText = Array(text.utf8)
      inCSV = Array(csv.utf8)
      inJSON = Array(
        ",\"state_condition\":\(conditionValue),\"state_class\":\(titleValue)".utf8)
      isWanted = only.map { catalogue.contains(code, set: $0) } ?? true
      isKnown = title != nil
      isDefined = definition != nil
    }
  }

  /// A log may have any number of invented codes, but memory has its end.
  static let maximumCount = 4096

  private let catalogue: ErrorCatalogue
  private let only: String?
  private var labels: [Label] = []
  private var places: [SQLState: Int] = [:]
  private var last = 0
  /// How often codes came that there was no room for.
  private var others = 0

  init(catalogue: ErrorCatalogue, only: String?) {
    self.catalogue = catalogue
    self.only = only
  }

  var isSelective: Bool { only != nil }

  /// The label of a code; counted if the line is a record of its own.
  func label(of code: SQLState, isCounted: Bool) -> Label {
    if last < labels.count, labels[last].code == code {
      if isCounted { labels[last].count += 1 }
      return labels[last]
    }
    if let place = places[code] {
      last = place
    } else {
      guard labels.count < Self.maximumCount else {
        if isCounted { others += 1 }
        return label(code)
      }
      last = labels.count
      places[code] = last
      labels.append(label(code))
    }
    if isCounted { labels[last].count += 1 }
    return labels[last]
  }

  func isKnown(_ code: SQLState) -> Bool { label(of: code, isCounted: false).isKnown }
  func isDefined(_ code: SQLState) -> Bool { label(of: code, isCounted: false).isDefined }

  private func label(_ code: SQLState) -> Label { Label(code, in: catalogue, only: only) }

  // MARK: Summary

  /// The codes that came most often: count, share, code, condition, class, retry rule.
  func summary(top: Int) -> String {
    let counted = labels.filter { $0.count > 0 && $0.code != .successfulCompletion }
      .sorted { ($1.count, $0.code) < ($0.count, $1.code) }
    let total = counted.reduce(others) { $0 + $1.count }
    var rows = [["COUNT", "SHARE", "CODE", "CONDITION", "CLASS", "RETRY"]]
    for label in counted.prefix(top) {
      rows.append([
        String(label.count), Self.share(label.count, of: total), label.code.description,
        catalogue.definition(of: label.code).map { $0.condition ?? $0.name } ?? "-",
        catalogue.title(ofClass: label.code.classCharacters).map(Diagnostic.escapingControls)
          ?? "-",
        catalogue.retry(of: label.code).answer.rawValue,
      ])
    }
    let rest = total - counted.prefix(top).reduce(0) { $0 + $1.count }
    if rest > 0 { rows.append([String(rest), Self.share(rest, of: total), "others", "", "", ""]) }
    rows.append([String(total), "", "total", "", "", ""])
    return ColumnTable.lines(rows, numbers: 2)
  }

  private static func share(_ count: Int, of total: Int) -> String {
    let tenths = total == 0 ? 0 : (count * 1000 + total / 2) / total
    return "\(tenths / 10).\(tenths % 10)%"
  }
}
