resource "aws_s3_bucket" "invoices" {
  bucket = "${var.prefix}-invoices"
}
