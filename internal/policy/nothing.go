package policy

// Nothing is a policy document that grants nothing: every caller may do its one
// action without any permission. It replaces the document of a policy that
// cannot be deleted because a permission set references it.
const Nothing = `{"Version":"2012-10-17","Statement":[{"Sid":"Nothing","Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}`
