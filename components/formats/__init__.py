"""What passes between components: artifact types, files, columns, features; each format has one home here."""
