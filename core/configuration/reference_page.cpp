#include "configuration/reference_page.h"

#include "configuration/environment.h"

namespace freshet::core {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

<!-- Generated: `fr config --markdown > docs/users/configuration.md`. A test compares. -->

Every setting of Freshet is an option with a key, a type and a default. `fr config` lists them all
with the value that counts and where it came from. Sources, each stronger than the one before:

1. defaults, listed below;
2. `freshet.yaml`: the file given by `--config`, else the one in `$FRESHET_CONF_DIR`, else
   `$XDG_CONFIG_HOME/freshet/freshet.yaml` (`~/.config` by default), else the one in the system's
   configuration folder, such as `/etc/freshet/freshet.yaml`. The first that exists is the only one
   read. Nested maps stand for dotted keys: `pipeline: {fusion: false}` is `pipeline.fusion: false`;
3. the environment: `FRESHET_` and the key in capitals, with `_` for each `.` and `-`:
   `FRESHET_PIPELINE_FUSION=false`;
4. the command line: `-D pipeline.fusion=false`, and the flags that stand for an option;
5. the program's main: `configuration.set(freshet::options::kPipelineFusion, false)`.

A value that an option refuses is an error that names key, value, origin and what is expected. An
unknown key is a warning; keys that begin with `user.` belong to applications and never warn.

## Values

| type | written as |
|---|---|
| bool | `true`, `false` |
| int, long | an integer of 32 or 64 bits |
| double | `0.5` |
| duration | a whole number and its unit, `ns`, `us`, `ms`, `s`, `min`, `h` or `d`: `10 s` |
| memory size | a whole number and its unit of 1024, `b`, `kb`, `mb`, `gb` or `tb`: `32 kb`; without a unit, bytes |
| enum | one of the names listed |
| list | `a,b`; in a file `[a, b]` too. An item with a comma, a quote or outer blanks is put in single quotes, a quote within it doubled |
| map | `key:value,key:value`, quoted like a list; or item by item as `option.key: value` |

The scope says who may set an option: a cluster takes only options of scope job from a job.

## Options
)";

void append_cell(std::string& page, const std::string& text) {
  for (const char c : text) {
    if (c == '|') page += '\\';
    page += c == '\n' ? ' ' : c;
  }
}

}  // namespace

std::string configuration_reference_page(const std::vector<OptionInfo>& options,
                                         const std::map<std::string, std::string>& plugins) {
  std::string page = kIntroduction;
  for (const OptionInfo& option : options) {
    page += "\n### `" + option.key + "`\n\n";
    page += option.description + "\n\n| | |\n|---|---|\n| type | ";
    append_cell(page, option.type);
    page += " |\n| value | ";
    append_cell(page, option.expected);
    page += " |\n| default | ";
    if (!option.default_text)
      page += "none";
    else if (option.default_text->empty())
      page += "empty";
    else
      append_cell(page, "`" + *option.default_text + "`");
    page += " |\n| scope | " + ConfigValue<Scope>::format(option.scope) + " |\n| environment | `" +
            environment_variable(option.key) + "` |\n";
    for (const std::string& key : option.deprecated_keys)
      page += "| deprecated key | `" + key + "` |\n";
    if (const auto plugin = plugins.find(option.key); plugin != plugins.end()) {
      page += "| plugin | ";
      append_cell(page, plugin->second);
      page += " |\n";
    }
    if (option.secret) page += "| secret | its value is never shown |\n";
  }
  return page;
}

}  // namespace freshet::core
