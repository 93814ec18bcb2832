"""embed.py OUTPUT ROOT FILE...: C++ that holds the files, by their paths below ROOT."""
import os
import sys

output, root, *names = sys.argv[1:]
with open(output, "w", encoding="utf-8") as cpp:
    cpp.write('#include "templates/templates.h"\n\nnamespace freshet::tool {\n\n')
    cpp.write("const std::vector<TemplateFile>& template_files() {\n")
    cpp.write("  static const std::vector<TemplateFile> files{\n")
    for name in sorted(names):
        with open(name, encoding="utf-8") as file:
            content = file.read()
        executable = "true" if os.access(name, os.X_OK) else "false"
        path = os.path.relpath(os.path.realpath(name), os.path.realpath(root))
        cpp.write(f'      {{"{path}", {executable}, R"FILE({content})FILE"}},\n')
    cpp.write("  };\n  return files;\n}\n\n}  // namespace freshet::tool\n")
