// The filter as text, with completion. It applies on Enter and when the field is left; `/` brings the cursor here.
import { ActionIcon, Combobox, Kbd, TextInput, useCombobox } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconFilter, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { filterFieldsQuery } from "../api/queries";
import { complete } from "../filter/complete";
import css from "./query-bar.module.css";

/** Fields named while the bar is empty; completion has them all. */
const HINTED = 4;

interface QueryBarProps {
  noun: string;
  filter: string;
  /** What the hub says is wrong with the applied filter. */
  error: string | null;
  onApply: (filter: string) => void;
}

export function QueryBar({ noun, filter, error, onApply }: QueryBarProps) {
  const [text, setText] = useState(filter);
  const [cursor, setCursor] = useState(filter.length);
  const [applied, setApplied] = useState(filter);
  const input = useRef<HTMLInputElement>(null);
  const wanted = useRef<number | null>(null);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const fields = useQuery(filterFieldsQuery(noun));
  const names = fields.data?.slice(0, HINTED).map((field) => `${field.name}:`) ?? [];
  const hint = names.length > 0 ? `Filter by ${names.join(" ")} or words` : "Filter";
  const offered = complete(text, cursor, fields.data ?? []);

  // A facet or the address bar changed the filter from outside.
  if (applied !== filter) {
    setApplied(filter);
    setText(filter);
    setCursor(filter.length);
  }

  useHotkeys([["/", () => input.current?.focus()]]);

  useEffect(() => {
    if (wanted.current === null) return;
    input.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = null;
  }, [text]);

  function apply(): void {
    combobox.closeDropdown();
    if (text.trim() !== filter) onApply(text.trim());
  }

  function choose(option: string): void {
    const next = text.slice(0, offered.from) + option + text.slice(offered.to);
    const end = offered.from + option.length;
    wanted.current = end;
    setText(next);
    setCursor(end);
    combobox.resetSelectedOption();
  }

  function keyDown(event: KeyboardEvent<HTMLInputElement>): void {
    const picking = combobox.dropdownOpened && combobox.getSelectedOptionIndex() >= 0;
    if (event.key === "Enter" && !picking) {
      event.preventDefault();
      apply();
    } else if (event.key === "Escape") {
      if (combobox.dropdownOpened) combobox.closeDropdown();
      else input.current?.blur();
    } else if (event.key === "Tab" && !event.shiftKey && picking) {
      event.preventDefault();
      const option = offered.options[combobox.getSelectedOptionIndex()];
      if (option) choose(option.text);
    }
  }

  return (
    <Combobox store={combobox} onOptionSubmit={choose} withinPortal position="bottom-start">
      <Combobox.Target>
        <TextInput
          ref={input}
          className={css.input}
          aria-label={`Filter ${noun}`}
          placeholder={hint}
          value={text}
          error={error}
          leftSection={<IconFilter size={15} aria-hidden />}
          rightSection={
            text === "" ? (
              <Kbd size="xs" aria-hidden>
                /
              </Kbd>
            ) : (
              <ActionIcon size="sm" aria-label="Clear filter" onClick={() => onApply("")}>
                <IconX size={14} />
              </ActionIcon>
            )
          }
          spellCheck={false}
          autoComplete="off"
          onFocus={() => combobox.openDropdown()}
          onBlur={apply}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setCursor(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
            combobox.openDropdown();
            combobox.resetSelectedOption();
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
          onKeyDown={keyDown}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={offered.options.length === 0}>
        <Combobox.Options mah={320} className={css.options} aria-label="Completions">
          {offered.options.map((option) => (
            <Combobox.Option key={option.label} value={option.text} className={css.option}>
              <span className="mono">{option.label}</span>
              <span className={css.hint}>{option.hint}</span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
