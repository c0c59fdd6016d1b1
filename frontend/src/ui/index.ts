// LineChart is left out on purpose: it brings the chart library, so pages import it by its own path.
export { announce } from "./announce";
export { Button, buttonClass } from "./Button";
export { Combobox } from "./Combobox";
export { ConflictDialog, mergeProposal, type TextConflict } from "./ConflictDialog";
export { DataGrid, GridCell, type PastedCell } from "./DataGrid";
export { DateField } from "./DateField";
export { ConfirmDialog, Dialog } from "./Dialog";
export { EditableProse, ProseView } from "./EditableProse";
export { EditableText } from "./EditableText";
export {
  EmptyState,
  ErrorState,
  ErrorSummary,
  Loading,
  NoPermissionState,
  Notice,
  QueryView,
  StatusBadge,
  type LifeCycle,
} from "./feedback";
export { Checkbox, NumberField, PrivacyHint, RadioGroup, Select, TextArea, TextField, useComposing, type Option } from "./fields";
export { fieldsOf, FormDialog, RecordConflict, type FieldErrors } from "./FormDialog";
export { FiscalYearSwitch } from "./FiscalYearSwitch";
export { HistoryTimeline, type HistoryChange, type HistoryEntry } from "./HistoryTimeline";
export { Breadcrumbs, HistoryLink, LoadMore, PageHeader, Tabs, type Crumb, type TabItem } from "./layout";
export { PastBanner, PastButton } from "./Past";
export { useFiscalYear, useSearchParam } from "./search";
export { ScrollArea, Table, type Column } from "./Table";
