// What is wrong with a file, in the form that compilers use: `FILE:LINE:COLUMN: error: WORDS`. Editors and SwiftPM
// read that form.

/// A place in a file. Lines and columns are counted from 1, columns in octets.
struct Place: Hashable {
  var file: String
  var line = 1
  var column = 1
}

/// The reason why a file cannot be compiled.
struct Finding: Error, Equatable, CustomStringConvertible {
  var place: Place
  var words: String

  init(_ place: Place, _ words: String) {
    self.place = place
    self.words = words
  }

  var description: String { "\(place.file):\(place.line):\(place.column): error: \(words)" }
}
