/// Normalisation form KC (Unicode Standard Annex 15) of what Unicode 3.2 had assigned.
///
/// The standard library normalises only for comparison and Foundation stays out, so the little that
/// passwords need is here. The tables are read at the first password that is not ASCII.
enum Normalization {
  /// The scalars in form KC.
  static func nfkc(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    compose(order(scalars.flatMap { decompose($0.value) })).compactMap { Unicode.Scalar($0) }
  }

  /// The full compatibility decomposition of one character.
  private static func decompose(_ code: UInt32) -> [UInt32] {
    decompositions[code] ?? Hangul.decompose(code) ?? [code]
  }

  /// Sorts each run of combining marks by class; marks of one class keep their order.
  private static func order(_ codes: [UInt32]) -> [UInt32] {
    var output: [UInt32] = []
    var marks: [(rank: UInt8, place: Int, code: UInt32)] = []
    func endRun() {
      marks.sort { ($0.rank, $0.place) < ($1.rank, $1.place) }
      output.append(contentsOf: marks.map(\.code))
      marks.removeAll(keepingCapacity: true)
    }
    for code in codes {
      if let rank = combiningClasses[code] {
        marks.append((rank, marks.count, code))
      } else {
        endRun()
        output.append(code)
      }
    }
    endRun()
    return output
  }

  /// Joins each character with the last starter before it, unless something of the same or a higher
  /// class stands between them.
  private static func compose(_ codes: [UInt32]) -> [UInt32] {
    var output: [UInt32] = []
    var starter: Int?
    var lastClass: UInt8?
    for code in codes {
      let rank = combiningClasses[code] ?? 0
      if let starter, lastClass.map({ $0 < rank }) ?? true,
        let joined = composite(output[starter], code)
      {
        output[starter] = joined
        continue
      }
      if rank == 0 {
        starter = output.count
        lastClass = nil
      } else {
        lastClass = rank
      }
      output.append(code)
    }
    return output
  }

  private static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.compose(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
  }

  // MARK: Tables

  private static let combiningClasses: [UInt32: UInt8] = {
    var classes: [UInt32: UInt8] = [:]
    for word in ScalarRanges.words(NormalizationTables.combiningClasses) {
      let (key, value) = halves(word)
      guard let range = ScalarRanges.range(key), let rank = UInt8(value, radix: 16) else {
        continue
      }
      for code in range { classes[code] = rank }
    }
    return classes
  }()

  private static let decompositions: [UInt32: [UInt32]] = {
    var parts: [UInt32: [UInt32]] = [:]
    for word in ScalarRanges.words(NormalizationTables.decompositions) {
      let (key, value) = halves(word)
      if let code = UInt32(key, radix: 16) { parts[code] = codes(value) }
    }
    return parts
  }()

  private static let compositions: [UInt64: UInt32] = {
    var composites: [UInt64: UInt32] = [:]
    for word in ScalarRanges.words(NormalizationTables.compositions) {
      let (key, value) = halves(word)
      let pair = codes(key)
      guard pair.count == 2, let code = UInt32(value, radix: 16) else { continue }
      composites[UInt64(pair[0]) << 32 | UInt64(pair[1])] = code
    }
    return composites
  }()

  /// What stands before and after the colon of a table's word.
  private static func halves(_ word: Substring) -> (Substring, Substring) {
    let parts = word.split(separator: ":", maxSplits: 1)
    return (parts.first ?? "", parts.last ?? "")
  }

  private static func codes(_ text: Substring) -> [UInt32] {
    text.split(separator: ".").compactMap { UInt32($0, radix: 16) }
  }
}
