"""Models by the names that finance, medicine, manufacturing and service look for, over the families."""
