internal import PGKit

/// A value that is SQL to be run.
struct Product {
  let sql: String
  /// Its place in the result, from 1.
  let row: Int
  let column: Int

  /// All values of a result that are not NULL, row by row.
  static func all(of chunks: Chunks) throws(PGError) -> [Product] {
    var products: [Product] = []
    var row = 0
    while let batch = try chunks.next() {
      for index in 0..<batch.count {
        row += 1
        batch.forEachValue(inRow: index) { column, value in
          guard let value else { return }
          products.append(
            Product(sql: String(decoding: value, as: UTF8.self), row: row, column: column + 1))
        }
      }
    }
    return products
  }
}
