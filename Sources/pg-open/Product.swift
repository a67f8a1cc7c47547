internal import PGCommandLine
internal import PGKit

/// A value that is SQL to be run.
struct Product {
  let sql: String
  /// Its place in the result, from 1.
  let row: Int
  let column: Int

  /// Hands out the values of a result that are not NULL, row by row.
  ///
  /// - Throws: ``PGError``, ``Failure`` with status 1 for a value that is not UTF-8, and what `body` throws.
  static func forEach(of chunks: Chunks, _ body: (Product) throws -> Void) throws {
    var row = 0
    while let batch = try chunks.next() {
      for index in 0..<batch.count {
        row += 1
        var products: [Product] = []
        var fault: Int?
        batch.forEachValue(inRow: index) { column, value in
          guard let value else { return }
          guard let sql = String(validating: value, as: UTF8.self) else {
            return fault = fault ?? column
          }
          products.append(Product(sql: sql, row: row, column: column + 1))
        }
        if let fault {
          throw Failure(
            .localFailure,
            Diagnostic(
              program: OpenCommand.program,
              message:
                "column \"\(batch.columns[fault].name)\" of row \(row) is not UTF-8, so no SQL"))
        }
        for product in products { try body(product) }
      }
    }
  }
}
