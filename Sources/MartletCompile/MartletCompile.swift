// The tool that MartletPlugin runs on the host during a build:
//
//     MartletCompile assets FOLDER OUTPUT        the files of the folder → constants
//     MartletCompile packed FOLDER OUTPUT        the files of the folder → constants, in gzip only
//     MartletCompile templates FOLDER OUTPUT     the templates of the folder → functions
//
// Findings go to standard error, and the status is 1 then. A build writes its output again only where it differs.

import Foundation

@main
enum MartletCompile {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 3, let kind = arguments.first, let output = arguments.last else {
      tell("usage: MartletCompile assets|packed|templates FOLDER OUTPUT")
      exit(2)
    }
    let folder = arguments[arguments.startIndex + 1]
    var findings: [Finding] = []
    let source: String
    do throws(Finding) {
      switch kind {
      case "assets": source = try assets(SourceFolder(folder))
      case "packed": source = try packedAssets(SourceFolder(folder))
      case "templates": source = try templates(SourceFolder(folder), &findings)
      default:
        tell("there are 'assets', 'packed' and 'templates'.")
        exit(2)
      }
    } catch {
      findings.append(error)
      source = ""
    }
    for finding in findings { tell(finding.description) }
    guard findings.isEmpty else { exit(1) }
    do { try SourceFolder.write(source, to: output) } catch {
      tell("\(output): error: \(error)")
      exit(1)
    }
  }

  private static func tell(_ words: String) { FileHandle.standardError.write(Data((words + "\n").utf8)) }

  static func files(_ folder: SourceFolder) throws(Finding) -> [AssetFile] {
    var files: [AssetFile] = []
    for name in folder.names {
      let file = folder.path(name)
      files.append(
        AssetFile(name: name, file: file, octets: try folder.octets(name), gzip: Gzip.compressed(file)))
    }
    return files
  }

  static func packedAssets(_ folder: SourceFolder) throws(Finding) -> String {
    try AssetWriter.packedSource(try files(folder))
  }

  static func assets(_ folder: SourceFolder) throws(Finding) -> String {
    let files = try files(folder)
    if !files.isEmpty, files.allSatisfy({ $0.gzip == nil }) {
      tell("\(folder.root): note: there is no gzip here, so that no asset is compressed")
    }
    return try AssetWriter.source(files)
  }

  /// Compiles all templates. A template that is wrong does not hide what is wrong with the others.
  static func templates(_ folder: SourceFolder, _ findings: inout [Finding]) throws(Finding) -> String {
    var templates: [Template] = []
    var names: [String: String] = [:]
    for name in folder.names {
      let place = Place(file: folder.path(name))
      do throws(Finding) {
        guard name.hasSuffix(".html"), name.count > ".html".count else {
          throw Finding(place, "the name of a template ends in .html")
        }
        let function = SwiftSource.identifier(name.dropLast(".html".count))
        if let other = names.updateValue(name, forKey: function) {
          throw Finding(place, "'\(other)' and '\(name)' would both be Templates.\(function)")
        }
        templates.append(try TemplateParser.parse(try folder.octets(name), name: name, file: place.file))
      } catch {
        findings.append(error)
      }
    }
    // A file that is missing because it is wrong is no finding of its own.
    guard findings.isEmpty else { return "" }
    let set = TemplateSet(templates)
    var whole: [WholeTemplate] = []
    for template in set.functions {
      do throws(Finding) { whole.append(try set.whole(template)) } catch {
        if !findings.contains(error) { findings.append(error) }
      }
    }
    return TemplateWriter.source(whole)
  }
}
