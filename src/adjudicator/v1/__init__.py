"""Generated from proto/adjudicator/v1 by `./dev proto`; do not edit."""
