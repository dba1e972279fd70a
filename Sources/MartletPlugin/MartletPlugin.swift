// Runs MartletCompile for each target that has a folder Assets, PackedAssets or Templates. SwiftPM runs the tool on the host, also
// when it builds for a board, and compiles what the tool writes with the target's own files.

import Foundation
import PackagePlugin

@main
struct MartletPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let tool = try context.tool(named: "MartletCompile").url
    var commands: [Command] = []
    let kinds = [("Assets", "assets"), ("PackedAssets", "packed"), ("Templates", "templates")]
    for (folder, kind) in kinds {
      let root = target.directoryURL.appendingPathComponent(folder)
      guard let entries = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) else {
        continue
      }
      var files: [URL] = []
      for case let entry as URL in entries where !entry.hasDirectoryPath { files.append(entry) }
      guard !files.isEmpty else { continue }
      let output = context.pluginWorkDirectoryURL.appendingPathComponent("\(folder).swift")
      commands.append(
        .buildCommand(
          displayName: "Compiling \(folder) of \(target.name)", executable: tool,
          arguments: [kind, root.path, output.path], inputFiles: files, outputFiles: [output]))
    }
    return commands
  }
}
