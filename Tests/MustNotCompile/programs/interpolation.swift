// Values that are put where they do not go: the words say what to do instead.

import Martlet

func html(_ page: HTML) {}
func json(_ piece: JSONText) {}
func plain(_ piece: Plain) {}
func location(_ location: Location) {}

func values(
  _ text: String, _ part: Substring, _ list: [Int], _ page: HTML, _ piece: JSONText, _ words: Plain
) {
  // error: A String is on the heap
  html("<p>\(text)")
  // error: A String is on the heap
  html("<p>\(part)")
  // error: Write its elements one after the other in a loop
  html("<p>\(list)")
  // error: Call write once for each part
  html("<p>\(page)")
  // error: JSON stands in a script element only
  html("<p>\(piece)")
  // error: Plain text is not escaped
  html("<p>\(words)")

  // error: A String is on the heap
  json("[\(text)]")
  // error: A String is on the heap
  json("[\(part)]")
  // error: Write the brackets in literals
  json("[\(list)]")
  // error: HTML is no JSON
  json("[\(page)]")
  // error: Write \(json: …)
  json("[\(piece)]")
  // error: Plain text is no JSON
  json("[\(words)]")

  // error: A String is on the heap
  plain("\(text)")
  // error: A String is on the heap
  plain("\(part)")
  // error: Write its elements one after the other in a loop
  plain("\(list)")
  // error: HTML is escaped for browsers
  plain("\(page)")
  // error: JSON has a media type of its own
  plain("\(piece)")
  // error: Call write(plain:) once for each part
  plain("\(words)")

  // error: A String is on the heap
  location("/\(text)")
  // error: A String is on the heap
  location("/\(part)")
  // error: HTML is no part of a path
  location("/\(page)")
}
