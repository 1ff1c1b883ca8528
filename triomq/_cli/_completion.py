"""``triomq completion``: a script for a shell, made from the parser, that completes commands and their arguments."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

import attrs

from ._arguments import Parser
from ._exits import DONE
from ._option_texts import names_for
from ._socket_parsers import ABOUT

SHELLS = ("bash", "zsh", "fish")


@attrs.frozen
class _Flag:
    """One argument of a command.

    Attributes:
      names: such as ``-n`` and ``--count``.
      takes: a value comes after it.
      choices: what the value may be; empty for anything, such as a file.
    """

    names: tuple[str, ...]
    about: str
    takes: bool
    choices: tuple[str, ...]


@attrs.frozen
class _Command:
    about: str
    flags: tuple[_Flag, ...]
    words: tuple[str, ...]


def _commands(parsers: Mapping[str, Parser], about: Mapping[str, str]) -> dict[str, _Command]:
    return {name: _command(name, parser, about[name]) for name, parser in parsers.items()}


def _command(name: str, parser: Parser, about: str) -> _Command:
    flags: list[_Flag] = []
    words: list[str] = []
    for action in parser._actions:
        choices = tuple(map(str, action.choices or ()))
        if not action.option_strings:
            words += choices
        elif action.help != argparse.SUPPRESS:
            text = re.split(r"[:;(]", action.help or "", maxsplit=1)[0].strip()
            if "--option" in action.option_strings and name in ABOUT:
                choices = tuple(names_for(ABOUT[name].kind.socket_type))
            flags.append(_Flag(tuple(action.option_strings), text, action.nargs != 0, choices))
    return _Command(about, tuple(flags), tuple(words))


def completion(shell: str, parsers: Mapping[str, Parser], about: Mapping[str, str]) -> str:
    """The script.

    Args:
      shell: one of `SHELLS`.
      parsers: of the commands, by name.
      about: a line on each.
    """
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](_commands(parsers, about))


def _bash(commands: Mapping[str, _Command]) -> str:
    cases, values = [], []
    for name, command in commands.items():
        flags = [text for flag in command.flags for text in flag.names]
        cases.append(f"    {name}) words={_quoted(' '.join([*flags, *command.words]))} ;;")
        for flag in command.flags:
            if flag.choices:
                patterns = "|".join(f"{name}:{text}" for text in flag.names)
                values.append(f"    {patterns}) words={_quoted(' '.join(flag.choices))} ;;")
            elif flag.takes:
                values.append(f"    {'|'.join(f'{name}:{text}' for text in flag.names)}) words= ;;")
    lines = "\n".join
    return f"""\
# triomq in bash: put this into ~/.local/share/bash-completion/completions/triomq
_triomq() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
  if ((COMP_CWORD == 1)); then
    words={_quoted(" ".join([*commands, "--help", "--version"]))}
  else
    case ${{COMP_WORDS[1]}} in
{lines(cases)}
    esac
    case ${{COMP_WORDS[1]}}:$before in
{lines(values)}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _triomq triomq
"""


def _zsh(commands: Mapping[str, _Command]) -> str:
    listed = "\n".join(f"    {_quoted(f'{name}:{command.about}')}" for name, command in commands.items())
    cases = []
    for name, command in commands.items():
        specs = [_quoted(_zsh_spec(flag, text)) for flag in command.flags for text in flag.names]
        if command.words:
            specs.append(_quoted(f"*:word:({' '.join(command.words)})"))
        cases.append(f"      {name}) _arguments {' '.join(specs)} ;;")
    inner = "\n".join(cases)
    return f"""\
#compdef triomq
# triomq in zsh: put this into a directory of $fpath, as _triomq
_triomq() {{
  local -a commands
  commands=(
{listed}
  )
  if ((CURRENT == 2)); then
    _describe command commands
  else
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
{inner}
    esac
  fi
}}
if [[ $funcstack[1] == _triomq ]]; then _triomq "$@"; else compdef _triomq triomq; fi
"""


def _zsh_spec(flag: _Flag, text: str) -> str:
    about = flag.about.replace("[", "(").replace("]", ")").replace(":", " ")
    spec = f"*{text}[{about}]"
    if flag.choices:
        return f"{spec}:value:({' '.join(flag.choices)})"
    return f"{spec}:value:_files" if flag.takes else spec


def _fish(commands: Mapping[str, _Command]) -> str:
    lines = ["# triomq in fish: put this into ~/.config/fish/completions/triomq.fish"]
    for name, command in commands.items():
        lines.append(f"complete -c triomq -f -n __fish_use_subcommand -a {name} -d {_quoted(command.about)}")
        here = f"complete -c triomq -n '__fish_seen_subcommand_from {name}'"
        for flag in command.flags:
            names = " ".join(f"-l {text[2:]}" if text.startswith("--") else f"-s {text[1:]}" for text in flag.names)
            values = f" -x -a {_quoted(' '.join(flag.choices))}" if flag.choices else " -r" if flag.takes else ""
            lines.append(f"{here} {names}{values} -d {_quoted(flag.about)}")
        if command.words:
            lines.append(f"{here} -f -a {_quoted(' '.join(command.words))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """For a shell, in single quotes; those of the text become typographic ones, which every shell leaves alone."""
    return "'" + text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") + "'"


def add_completion(commands: Any, run: Any) -> None:
    """Add the command ``completion``."""
    parser = commands.add_parser(
        "completion",
        help="write a script that lets your shell complete triomq",
        description="Write a script that lets a shell complete the commands and arguments of triomq.",
        epilog='examples:\n  eval "$(triomq completion bash)"\n  triomq completion zsh > ~/.zfunc/_triomq\n'
        "  triomq completion fish > ~/.config/fish/completions/triomq.fish",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run)


def print_completion(shell: str, parsers: Mapping[str, Parser], about: Mapping[str, str]) -> int:
    """Print the script. Returns: the exit code."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # whatever the locale: it is a file
    sys.stdout.write(completion(shell, parsers, about))
    return DONE
