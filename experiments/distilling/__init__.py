"""Teaching data from anything that plays: what is asked, who answers, and how the student is asked."""
